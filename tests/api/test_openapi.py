"""The OpenAPI document against the server: requests made up from it, and answers that must be as it says."""

import contextlib
import re

import httpx
import hypothesis
import pytest
import requests

#: Of each operation, requests that the document allows, and as many that it does not.
EXAMPLES = 6
#: What a document cannot say: whether a text is a URL or a regular expression, and what its words lead to.
MEANT = ["2xx", "401", "403", "404", "409", "422"]
#: Answers that never end; tests of their own read them.
ENDLESS = re.compile("progress$")
#: Here the judge takes `prefixItems` for what another draft of JSON Schema makes of it, and condemns the document.
MISREAD = re.compile("timeline$")


@pytest.fixture(scope="module")
def schema(standing: httpx.Client):
    """The document of the server, and what is expected of it."""
    schemathesis = pytest.importorskip("schemathesis")
    statuses = {"checks": {"positive_data_acceptance": {"expected-statuses": MEANT}}}
    config = schemathesis.Config.from_dict(statuses)
    return schemathesis.openapi.from_url(f"{standing.base_url}/openapi.json", config=config)


def judge(operation, strategy) -> None:
    """Send requests of this kind; raises what the judge says of the answers."""

    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=strategy)
    def send(case):
        case.call_and_validate(session=session, excluded_checks=misread)

    misread = CHECKS.get_by_names(["response_schema_conformance"]) if MISREAD.search(operation.path) else []
    # Where nothing can be said, nothing can be said wrongly.
    with requests.Session() as session, contextlib.suppress(hypothesis.errors.Unsatisfiable):
        send()


@pytest.mark.timeout(120)
def test_made_up_requests_are_answered_as_the_document_says(standing, schema):
    from schemathesis import GenerationMode

    answer = standing.post("/crawls", json={"seeds": ["http://127.0.0.1:9/"], "name": "known"})
    known = {"crawl": answer.json()["id"]}
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        if not ENDLESS.search(operation.path):
            path_parameters = known if "{crawl}" in operation.path else None
            judge(operation, operation.as_strategy(path_parameters=path_parameters))
            judge(operation, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    assert len(operations) > 20


def test_every_answer_that_is_a_problem_is_documented_as_one(standing):
    document = standing.get("/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                media = set(response.get("content", {}))
                assert status < "300" or media == {"application/problem+json"}, (method, path, status)
