"""Settings: command line over environment over file over default; what is wrong is one clear line."""

import os
import subprocess
import sys

import pytest

from contract.crawls import CrawlSpec, check_spec, new_crawl_id
from contract.errors import Refused
from contract.settings import Settings, as_environ, load


@pytest.fixture
def config(tmp_path):
    """Writes a settings file; gives the environment that names it."""

    def write(text: str) -> dict[str, str]:
        path = tmp_path / "penstock.toml"
        path.write_text(text, "utf-8")
        return {"PENSTOCK_CONFIG": str(path)}

    return write


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(config):
    environ = config("workers = 3\nparsers = 3\nconcurrency = 3") | {"PENSTOCK_WORKERS": "4", "PENSTOCK_PARSERS": "4"}

    found = load({"workers": 5, "concurrency": None}, environ=environ)

    assert (found.workers, found.parsers, found.concurrency) == (5, 4, 3)
    assert found.high_water_pages == Settings().high_water_pages


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("no", False)])
def test_yes_and_no_have_their_usual_spellings(text, value):
    assert load(environ={"PENSTOCK_ALLOW_PRIVATE": text}).allow_private is value


def test_an_empty_variable_says_nothing():
    assert load(environ={"PENSTOCK_WORKERS": ""}).workers == Settings().workers


def test_other_peoples_variables_are_left_alone():
    assert load(environ={"PATH": "/bin", "PENSTOCKS": "1"}) == Settings()


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"PENSTOCK_WROKERS": "2"},
            "unknown setting PENSTOCK_WROKERS in the environment (did you mean 'PENSTOCK_WORKERS'?)",
        ),
        ({"PENSTOCK_WORKERS": "many"}, "PENSTOCK_WORKERS must be a whole number, not 'many'"),
        ({"PENSTOCK_WORKERS": "0"}, "PENSTOCK_WORKERS must be more than 0, not 0"),
        ({"PENSTOCK_WORKERS": "9" * 30}, "PENSTOCK_WORKERS must be "),
        ({"PENSTOCK_WORKERS": "1001"}, "PENSTOCK_WORKERS must be at most 1,000, not 1001"),
        ({"PENSTOCK_PARSERS": "1001"}, "PENSTOCK_PARSERS must be at most 1,000, not 1001"),
        ({"PENSTOCK_CONCURRENCY": "100001"}, "PENSTOCK_CONCURRENCY must be at most 100,000, not 100001"),
        ({"PENSTOCK_DELAY": "fast"}, "PENSTOCK_DELAY must be a number, not 'fast'"),
        ({"PENSTOCK_SCOPE": "web"}, "PENSTOCK_SCOPE must be one of host, domain, any, not 'web'"),
        ({"PENSTOCK_PROGRESS": "web"}, "PENSTOCK_PROGRESS must be one of auto, live, plain, none, not 'web'"),
        ({"PENSTOCK_DEADLINE_SECONDS": "nan"}, "PENSTOCK_DEADLINE_SECONDS must be more than 0, not nan"),
        ({"PENSTOCK_DEADLINE_SECONDS": "inf"}, "PENSTOCK_DEADLINE_SECONDS must be at most 1,099,511,627,776, not inf"),
        ({"PENSTOCK_HIGH_WATER_BYTES": "-1"}, "PENSTOCK_HIGH_WATER_BYTES must be more than 0, not -1"),
        ({"PENSTOCK_ALLOW_PRIVATE": "perhaps"}, "PENSTOCK_ALLOW_PRIVATE must be true or false, not 'perhaps'"),
        ({"PENSTOCK_LOG_LEVEL": "loud"}, "PENSTOCK_LOG_LEVEL must be one of DEBUG, INFO"),
        ({"PENSTOCK_CONFIG": "/nowhere/x.toml"}, "cannot read the settings file /nowhere/x.toml: "),
    ],
)
def test_what_is_unknown_or_wrong_is_one_clear_line(environ, line):
    with pytest.raises(Refused) as error:
        load(environ=environ)

    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("wrokers = 2", "unknown setting 'wrokers' (did you mean 'workers'?) in "),
        ("workers = 'two'", "workers in {file} must be a whole number, not 'two'"),
        ("allow = [1]", "allow in {file} must be a list of texts, not [1]"),
        ("allow = 'x'", "allow in {file} must be a list of texts, not 'x'"),
        ("name = 5", "name in {file} must be text, not 5"),
        ("workers = 0", "workers in {file} must be more than 0, not 0"),
        ("workers = ", "cannot read the settings file "),
    ],
)
def test_what_is_wrong_in_the_file_is_one_clear_line(config, text, line):
    environ = config(text)
    with pytest.raises(Refused) as error:
        load(environ=environ)

    assert str(error.value).startswith(line.format(file=environ["PENSTOCK_CONFIG"]))
    assert "\n" not in str(error.value)


def test_what_is_wrong_on_the_command_line_is_named_as_its_option():
    with pytest.raises(Refused, match=r"^--per-host must be a whole number, not 'x'$"):
        load({"per_host": "x"}, environ={"PENSTOCK_PER_HOST": "2"})


def test_a_process_that_we_start_has_the_same_settings():
    given = Settings(workers=7, allow_private=True, deadline_seconds=2.5, redis_url="redis://:p@h/1")

    assert load(environ=as_environ(given)) == given


def test_paths_are_absolute_and_the_database_lies_in_the_data_folder(tmp_path):
    found = load({"data": str(tmp_path / "x")}, environ={})

    assert found.folder == tmp_path / "x"
    assert found.sql_url == f"sqlite:///{tmp_path}/x/penstock.db"
    assert load({"database_url": "postgresql://h/d"}, environ={}).sql_url == "postgresql://h/d"


@pytest.mark.parametrize("name", ["delay_seconds", "per_host", "max_pages", "max_depth", "max_attempts", "max_hops"])
def test_a_crawl_with_a_number_that_makes_no_sense_is_refused(name):
    with pytest.raises(Refused, match=name.removesuffix("_seconds")):
        check_spec(CrawlSpec(name="x", **{name: -1}))


def test_a_delay_that_is_no_number_is_refused():
    with pytest.raises(Refused):
        check_spec(CrawlSpec(name="x", delay_seconds=float("nan")))


def test_crawl_ids_sort_by_time_and_differ():
    first, second = new_crawl_id(), new_crawl_id()

    assert first != second
    assert first[:15] <= second[:15]


@pytest.mark.parametrize("package", ["contract.bus", "scheduler.service"])
def test_importing_a_package_neither_connects_nor_reads_the_environment(package):
    environ = {**os.environ, "PENSTOCK_REDIS_URL": "nonsense", "PENSTOCK_NOT_A_SETTING": "1"}
    code = f"import {package}, sys; sys.exit('celery' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], env=environ, timeout=20, check=False).returncode == 0
