"""The published contract is fresh, whole, and says what the code does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contract import codec, topology
from contract.envelope import Envelope
from contract.keys import Keys
from contract.published.asyncapi import document
from contract.published.files import files, schema_path
from contract.published.schemas import ATTRIBUTES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "contract"
DOCUMENT = document()


@pytest.mark.parametrize("name", files())
def test_a_committed_file_is_what_the_code_says_today(name):
    path = FOLDER / name

    assert path.exists(), f"docs/contract/{name} is missing: run make contract"
    assert path.read_text("utf-8") == files()[name], f"docs/contract/{name} is stale: run make contract"


def test_a_schema_that_no_code_writes_is_of_an_older_version():
    for path in set((FOLDER / "schemas").iterdir()) - {FOLDER / name for name in files()}:
        type, _, number = path.stem.rpartition(".v")
        assert type in codec.KINDS, f"{path.name} is of a message that is not there"
        assert 0 < int(number) < codec.KINDS[type].VERSION, f"{path.name} is of a version that is not there"


def test_every_version_of_every_message_has_a_schema():
    for kind in codec.KINDS.values():
        for number in range(1, kind.VERSION + 1):
            assert (FOLDER / schema_path(kind).replace(f"v{kind.VERSION}", f"v{number}")).exists()


def test_the_command_writes_the_same_bytes_in_another_process_and_another_folder(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "contract.published", str(tmp_path / "made" / "here")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout == f"{len(files())} files in {tmp_path}/made/here\n"
    for name, text in files().items():
        assert (tmp_path / "made" / "here" / name).read_bytes() == text.encode()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "contract.published", str(tmp_path / "file" / "below")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 1
    assert run.stderr.startswith("penstock: cannot write the contract: ")
    assert run.stderr.count("\n") == 1


def test_every_attribute_of_the_envelope_is_described():
    assert ATTRIBUTES.keys() == set(Envelope.__struct_fields__)


def test_one_schema_of_an_older_draft_takes_every_golden_message_and_refuses_what_is_none():
    bundle = json.loads(files()["schemas.draft-07.json"])
    judge = jsonschema.Draft7Validator(bundle)
    jsonschema.Draft7Validator.check_schema(bundle)
    goldens = sorted((ROOT / "tests" / "contract" / "golden").glob("*.json"))

    assert [path.name for path in goldens if not judge.is_valid(json.loads(path.read_bytes()))] == []
    assert not judge.is_valid({**json.loads(goldens[0].read_bytes()), "type": "page.lost"})


# -- the AsyncAPI document


def test_both_versions_of_the_document_say_the_same():
    newer, older = (json.loads(files()[name]) for name in ("asyncapi.json", "asyncapi-3.0.json"))

    assert (newer.pop("asyncapi"), older.pop("asyncapi")) == ("3.1.0", "3.0.0")
    assert newer == older


def test_every_schema_and_every_message_has_a_title_which_is_a_class_name_to_generators():
    titles = [schema["title"] for schema in DOCUMENT["components"]["schemas"].values()]
    titles += [message["payload"]["title"] for message in DOCUMENT["components"]["messages"].values()]

    assert len(titles) == len(set(titles))
    assert all(title.isidentifier() for title in titles)


def test_every_stream_is_a_channel_at_its_key():
    assert tuple(DOCUMENT["channels"]) == topology.STREAMS
    for stream, channel in DOCUMENT["channels"].items():
        said = channel["address"]
        for name in channel["parameters"]:
            said = said.replace(f"{{{name}}}", DOCUMENT["components"]["parameters"][name]["default"])
        assert said == Keys().stream(stream)


@pytest.mark.parametrize("action", ["receive", "send"])
def test_the_operations_are_the_arrows_of_the_map(action):
    said = {
        (operation["tags"][0]["name"], operation["channel"]["$ref"].removeprefix("#/channels/"))
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == action
    }
    way = {"receive": "takes", "send": "gives"}[action]
    on_the_map = {(stage.name, stream) for stage in topology.STAGES for stream in getattr(stage, way)}

    of_people = {
        ("penstock", stream) for stream in topology.COMMANDS if stream not in ("page.fetch", "frontier.restore")
    }
    assert said == on_the_map | (of_people if action == "send" else set())


def test_each_stream_is_sent_by_somebody_and_received_by_its_consumer_groups():
    for stream in topology.STREAMS:
        of_stream = [one for one in DOCUMENT["operations"].values() if one["channel"]["$ref"].endswith(f"/{stream}")]
        assert "send" in {one["action"] for one in of_stream}
        groups = {one["x-consumer-group"] for one in of_stream if one["action"] == "receive"}
        assert groups == set(topology.groups_of(stream))


def test_every_reference_leads_somewhere():
    for name, text in files().items():
        whole = json.loads(text)
        for reference in _references(whole):
            found = whole
            for step in reference.removeprefix("#/").split("/"):
                assert step in found, f"{name}: {reference}"
                found = found[step]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return here + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []


def test_docstrings_stand_in_the_documents_without_the_indentation_of_the_source():
    for text in files().values():
        assert not [line for line in _descriptions(json.loads(text)) if "  " in line or "\n " in line or not line]


def _descriptions(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value[key] for key in ("description", "summary") if isinstance(value.get(key), str)]
        return here + [found for item in value.values() for found in _descriptions(item)]
    return [found for item in value for found in _descriptions(item)] if isinstance(value, list) else []
