"""docs/api.md names every request that the server takes, with the words that it takes there, and no other."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
#: What the page of the dashboard asks for itself, and a browser's token.
UNTOLD = {"/session"}
#: Stands in most lists, and is told once for all of them.
EVERYWHERE = {"limit", "cursor"}


def told() -> dict[tuple[str, str], set[str]]:
    """(method, path) → names of the query, by the table of requests."""
    found = {}
    for cell in re.findall(r"^\| (`(?:GET|POST) .*?) \| ", TEXT, re.MULTILINE):
        first, *others = re.findall(r"`([^`]*)`", cell)
        method, path = first.split(" ", 1)
        names = {name for word in others for name in re.findall(r"(\w+)=", word)}
        found[method, path] = names
        for other in (word.removeprefix("GET ") for word in others if not word.startswith("?")):
            # `POST /crawls/{id}/pause`, `/resume`: of the same crawl
            found[method, path.rpartition("/")[0] + other if path.startswith("/crawls/") else other] = names
    return found


@pytest.fixture(scope="module")
def document(standing):
    """The OpenAPI document; `{crawl}` is what people call `{id}`."""
    return standing.get("/openapi.json").json()


def test_every_request_and_every_word_of_its_query_is_told_and_there(document):
    there = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
            there[method.upper(), path.replace("{crawl}", "{id}")] = names - EVERYWHERE
    assert told() == {key: names for key, names in there.items() if key[1] not in UNTOLD}


def test_every_word_of_a_new_crawl_is_told_and_there(document):
    [row] = re.findall(r"^\| `POST /crawls` \| (.*?), as on the command line", TEXT, re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", row)) == set(document["components"]["schemas"]["NewCrawl"]["properties"])
