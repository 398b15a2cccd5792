"""Every error as problem details (RFC 9457): `application/problem+json` with `type`, `title`, `status`, `detail`.

`field` names the part of the request at fault, as `delay` or `seeds.0`; `crawl` the crawl that is in the way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.routing import Match

from contract.bus.scripts import passing
from contract.errors import Refused, Unreachable
from contract.logs import masked, visible
from penstock.submit import Unanswered

log = logging.getLogger("penstock.api")

MEDIA_TYPE = "application/problem+json"
#: Where a field stands in FastAPI's errors, before the field's own name.
_PLACES = ("body", "query", "path", "header", "cookie")


_RETRY = {"Retry-After": "2"}


class Problem(BaseModel):
    """What is wrong with a request, or with the server (RFC 9457)."""

    type: str = Field("about:blank", description="`about:blank`, or `/problems/<word>` for what programs tell apart.")
    title: str
    status: int
    detail: str = Field(description="One sentence for a person.")
    field: str | None = Field(None, description="The part of the request at fault, as `delay` or `seeds.0`.")
    crawl: str | None = Field(None, description="The crawl that is in the way.")


class Trouble(Exception):
    """Raised by a route to answer with a problem; `word` becomes its type."""

    def __init__(self, status: int, detail: str, *, word: str = "", field: str = "", crawl: str = "") -> None:
        super().__init__(detail)
        self.response = answer(status, detail, word=word, field=field, crawl=crawl)


def answer(
    status: int,
    detail: str,
    *,
    word: str = "",
    field: str = "",
    crawl: str = "",
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A response that says what is wrong; control characters are spelled out, passwords in URLs masked."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    text = visible(masked(detail or title))
    content = {"type": f"/problems/{word}" if word else "about:blank", "title": title, "status": status, "detail": text}
    content |= {name: visible(value) for name, value in (("field", field), ("crawl", crawl)) if value}
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of its problems in the OpenAPI document."""
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Let every error of a route, and every address that leads nowhere, end as a problem."""
    app.add_exception_handler(Trouble, _trouble)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AnyHTTPException, _http)
    app.add_exception_handler(Refused, _refused)
    for kind in (Unreachable, RedisError, OperationalError, InterfaceError, NoConnectionLeft):
        app.add_exception_handler(kind, _away)


async def _trouble(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Trouble)
    return error.response


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first, *others = error.errors()
    if first["type"] == "json_invalid":
        return answer(400, "the body is not JSON", word="invalid")
    if first["loc"] == ("body",) and isinstance(error.body, bytes):  # FastAPI reads only what says that it is JSON
        return answer(415, "send Content-Type: application/json", word="media-type")
    field, more = _field(first["loc"]), f"; and {len(others)} more" if others else ""
    return answer(422, f"{field or 'body'}: {first['msg']}{more}", word="invalid", field=field)


def _field(place: Sequence[Any]) -> str:
    words = place[1:] if place and place[0] in _PLACES else place
    return ".".join(map(str, words))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AnyHTTPException | HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return answer(error.status_code, str(error.detail), headers=headers)


def _methods(request: Request) -> set[str]:
    """What may be done at this address: each method is a route of its own, and Starlette names those of the first."""
    routes = [route for router in request.app.state.routers for route in router.routes]
    return {method for route in routes if route.matches(request.scope)[0] != Match.NONE for method in route.methods}


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    if isinstance(error, Unanswered):
        return answer(503, str(error), word="unavailable", headers=_RETRY)
    return answer(422, str(error), word="refused", field=error.field)


async def _away(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, RedisError) and not passing(error):
        raise error
    log.warning("cannot answer: %s", error, extra={"action": "unavailable"})
    what = "the database" if isinstance(error, SQLAlchemyError) else "Redis"
    return answer(503, f"{what} does not answer", word="unavailable", headers=_RETRY)
