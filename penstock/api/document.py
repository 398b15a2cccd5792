"""The OpenAPI document, where it differs from what FastAPI makes of the routes.

Problems have a media type of their own, and what the guards answer is every route's.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from penstock.api.problems import MEDIA_TYPE

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
#: What FastAPI would answer to a request that does not fit.
_INVALID = {"$ref": "#/components/schemas/HTTPValidationError"}
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")
_TOKEN = {"bearer": {"type": "http", "scheme": "bearer"}}
#: What the guards answer, whatever the route.
_EVERYWHERE = (400, 401, 421, 500, 503)


def describe(app: FastAPI) -> None:
    """Let `/openapi.json` say what is really answered."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = plain()
            document.setdefault("components", {}).setdefault("securitySchemes", _TOKEN)
            for operations in document["paths"].values():
                for operation in operations.values():
                    _amend(operation["responses"])
            for name in _OF_FASTAPI:
                document["components"]["schemas"].pop(name, None)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _amend(responses: dict[str, Any]) -> None:
    for status in _EVERYWHERE:
        content = {MEDIA_TYPE: {"schema": _PROBLEM}}
        responses.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": content})
    for response in responses.values():
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema") in (_PROBLEM, _INVALID):
            del content["application/json"]
            content[MEDIA_TYPE] = {"schema": _PROBLEM}
