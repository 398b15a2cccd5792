"""The application: routers, guards and errors put together, and what is open while it runs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from contract.settings import Settings
from penstock import __version__
from penstock.api import (
    crawls,
    creating,
    downloads,
    explaining,
    files,
    health,
    hosts,
    metrics,
    problems,
    progress,
    results,
    session,
    spiders,
    steering,
)
from penstock.api.document import describe
from penstock.api.exposure import check_exposure
from penstock.api.guards.bodies import Bodies
from penstock.api.guards.errors import Errors
from penstock.api.guards.headers import Headers
from penstock.api.guards.names import Names
from penstock.api.guards.origins import Origins
from penstock.api.guards.tokens import Tokens
from penstock.api.house import House, open_house
from penstock.api.hub import Hub

#: In the order in which the OpenAPI document lists them.
ROUTERS = (
    *(
        crawls.router,
        creating.router,
        steering.router,
        results.router,
        downloads.router,
        hosts.router,
        explaining.router,
    ),
    *(progress.router, spiders.router, session.router, health.router, metrics.router, files.router),
)


def make_app(settings: Settings, *, house: House | None = None) -> FastAPI:
    """The application; raises `Refused` where it would be open to everybody.

    It opens a house of its own while it runs, unless it is given one.
    """
    check_exposure(settings)
    app = FastAPI(
        title="Penstock",
        version=__version__,
        description="Crawl the web: create, watch and steer crawls, read what they found.",
        lifespan=_lifespan(settings, house),
        docs_url=None,  # both would load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.routers = ROUTERS
    for router in ROUTERS:
        app.include_router(router)
    files.add_files(app)
    describe(app)
    problems.add_handlers(app)
    _add_guards(app, settings)
    return app


def _add_guards(app: FastAPI, settings: Settings) -> None:
    # The one that is added last sees a request first.
    app.add_middleware(Bodies)
    app.add_middleware(Tokens, token=settings.api_token)
    app.add_middleware(Origins)
    app.add_middleware(Names, known=(settings.api_host, *settings.api_names))
    app.add_middleware(Errors)
    app.add_middleware(Headers)


def _lifespan(settings: Settings, house: House | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.nullcontext(house) if house else open_house(settings) as opened:
            opened.hub = Hub(opened)
            app.state.house = opened
            yield
            await opened.hub.close()

    return lifespan
