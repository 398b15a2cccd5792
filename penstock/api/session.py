"""POST /session: a browser shows the token once and is given a cookie, for its event streams can send no header."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from penstock.api.guards.tokens import COOKIE, is_token, session_of, shows
from penstock.api.house import TheHouse
from penstock.api.models import Session
from penstock.api.problems import Trouble, documented

router = APIRouter(tags=["session"])


class ShownToken(BaseModel):
    """The token that the server was started with."""

    model_config = ConfigDict(strict=True, extra="forbid")
    token: Annotated[str, Field(max_length=1_000)]


@router.get("/session")
async def session(request: Request, house: TheHouse) -> Session:
    """Whether a token is asked for, and whether this request has shown it."""
    token = house.settings.api_token
    return Session(required=bool(token), ok=shows(token, request.headers))


@router.post("/session", status_code=204, responses=documented(400, 401, 403, 413, 415, 422))
async def begin(request: Request, house: TheHouse, shown: ShownToken) -> Response:
    """Show the token; the answer sets the cookie."""
    token = house.settings.api_token
    if token and not is_token(token, shown.token):
        raise Trouble(401, "this is not the token", word="token", field="token")
    response = Response(status_code=204)
    if token:
        is_secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, session_of(token), httponly=True, samesite="strict", secure=is_secure)
    return response


@router.delete("/session", status_code=204, responses=documented(403))
async def end() -> Response:
    """Forget the cookie."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response
