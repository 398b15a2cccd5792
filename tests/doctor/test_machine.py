"""What the doctor says of this process and its machine."""

import resource

import pytest

from contract.settings import Settings, load, origins
from penstock.doctor.finding import ok, span, warn
from penstock.doctor.machine import open_files, packages, privacy, python_version, settings_given, suffix_list
from penstock.view.numbers import size


def test_a_finding_is_one_line_that_says_how_to_mend_it():
    assert str(ok("redis", "there")) == "ok   redis: there"
    assert str(warn("redis", "slow", "move it")) == "warn redis: slow; move it"


def test_an_old_python_is_bad():
    assert python_version((3, 10, 4)).level == "bad"
    assert python_version((3, 11, 0)).level == "ok"


def test_a_package_that_is_missing_is_named():
    assert packages().level == "ok"
    assert packages(["redis", "no-such-package"]).finding == "not installed: no-such-package"


def test_the_date_of_the_suffix_list_is_shown():
    assert str(suffix_list("2026-10-22")) == "ok   public suffix list: of 2026-10-22"
    assert suffix_list(None).level == "warn"


def test_each_setting_is_shown_with_where_it_comes_from_and_without_secrets(tmp_path):
    file = tmp_path / "penstock.toml"
    file.write_text("workers = 3\napi_token = 'sesame'\n")
    environ = {"PENSTOCK_CONFIG": str(file), "PENSTOCK_REDIS_URL": "sentinel://u:sesame@h/m?sentinel_password=sesame"}

    found = settings_given(load({"data": "d"}, environ=environ), origins({"data": "d"}, environ=environ))

    lines = {one.what: one.finding for one in found}
    assert lines["setting workers"] == f"3 (from workers in {file})"
    assert lines["setting data"] == "d (from --data)"
    assert lines["setting redis_url"].endswith("(from PENSTOCK_REDIS_URL)")
    assert "sesame" not in str(found)


def test_no_setting_is_a_line_too():
    assert settings_given(Settings(), {}) == [ok("settings", "all left to their defaults")]


@pytest.mark.parametrize(("most", "level"), [(256, "warn"), (1_000_000, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_open_files_are_counted_against_the_requests_in_flight(most, level):
    assert open_files(Settings(concurrency=100), most).level == level


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1_500_000, "1.5 MB"), (2e13, "20.0 TB")])
def test_bytes_are_said_in_units(count, text):
    assert size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.0004, "0.4 ms"), (61, "61 s"), (600, "10 min"), (90_000, "25 h")])
def test_times_are_said_in_units(seconds, text):
    assert span(seconds) == text


def test_a_data_folder_that_others_can_look_into_is_told(tmp_path):
    tmp_path.chmod(0o755)
    assert str(privacy(tmp_path)[0]) == (
        f"warn data folder: {tmp_path} is open to others (mode 0755); chmod -R go= {tmp_path}"
    )
    tmp_path.chmod(0o700)
    assert [one.level for one in privacy(tmp_path)] == ["ok"]
    assert privacy(tmp_path / "none") == []
