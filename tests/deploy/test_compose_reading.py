"""How the runner reads a compose file, and what it reads from the kernel: by the specification, on made-up text."""

import socket
from pathlib import Path

import pytest

from tests.deploy.files import compose
from tools.compose.file import NotUnderstood, filled_in, read_project, seconds, size
from tools.compose.images import our_image
from tools.compose.rooms import listening
from tools.compose.runner import in_order
from tools.compose.script import OutOfSight, look_for


@pytest.mark.parametrize(
    ("text", "given", "value"),
    [
        ("${A}", {"A": "1"}, "1"),
        ("${A}", {}, ""),
        ("x${A:-y}z", {}, "xyz"),
        ("${A:-127.0.0.1:80}:8000", {"A": ""}, "127.0.0.1:80:8000"),
        ("$$A", {"A": "1"}, "$A"),
        ("${A:?set A}", {"A": "1"}, "1"),
    ],
)
def test_variables_are_filled_in(text: str, given: dict[str, str], value: str) -> None:
    assert filled_in({"deep": [text]}, given) == {"deep": [value]}


def test_a_variable_that_is_required_and_not_set_is_named() -> None:
    with pytest.raises(NotUnderstood, match="A is missing a value: set it"):
        filled_in("${A:?set it}", {"A": ""})


@pytest.mark.parametrize(("text", "value"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200)])
def test_durations_are_read(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["30", "", "s", "1 m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood, match="not a duration"):
        seconds(text)


@pytest.mark.parametrize(("text", "value"), [("512M", 2**29), ("2G", 2**31), ("1gb", 2**30), ("64m", 2**26)])
def test_sizes_are_read(text: str, value: int) -> None:
    assert size(text) == value


def test_a_word_that_the_runner_does_not_know_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("services: {a: {image: x, pid: host}}\nnetworks: {}\nvolumes: {}\n")

    with pytest.raises(NotUnderstood, match="service a: pid"):
        read_project(file, {})


def test_a_service_comes_behind_those_that_it_depends_on() -> None:
    project = compose()
    order = in_order(project)

    assert sorted(order) == sorted(project.services)
    for service in project.services.values():
        assert all(order.index(before) < order.index(service.name) for before in service.after)


def test_the_last_stage_of_a_dockerfile_counts() -> None:
    image = our_image(
        "FROM a AS one\nUSER root\nENV A=0\nFROM b\nENV A=1 \\\n    B=2\nUSER 7:8\nWORKDIR /w\n"
        'STOPSIGNAL SIGINT\nENTRYPOINT ["x", "y"]\n'
    )

    assert (image.environment, image.user, image.folder) == ({"A": "1", "B": "2"}, "7:8", "/w")
    assert (image.entrypoint, image.stop_signal.name) == (("x", "y"), "SIGINT")


def test_a_checkout_that_a_containers_own_folder_would_hide_is_refused() -> None:
    look_for([Path("/usr"), Path("/tmpfiles")])

    with pytest.raises(OutOfSight, match="each container has its own /tmp, which hides /tmp/checkout"):
        look_for([Path("/usr"), Path("/tmp/checkout")])


def test_who_listens_where_is_read_from_the_kernel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("::1", 0), family=socket.AF_INET6) as two:
        expected = {one.getsockname()[:2], two.getsockname()[:2]}
        assert expected <= listening()
    assert not expected & listening()
