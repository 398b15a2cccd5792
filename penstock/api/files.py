"""The dashboard: its page at /, its files below /static/. They are asked for anew when they have changed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)

FOLDER = Path(str(files("penstock"))) / "dashboard"
#: Ask each time whether it is still the same: an upgrade must not leave half of an old page behind.
_FRESH = {"cache-control": "no-cache"}


@router.api_route("/", methods=["GET", "HEAD"])
async def page() -> Response:
    """The dashboard's page."""
    return FileResponse(FOLDER / "index.html", headers=_FRESH)


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def icon() -> Response:
    """The page names its own icon; this keeps browsers that do not look from being told of an error."""
    return Response(status_code=204)


class _Files(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(_FRESH)
        return response


def add_files(app: FastAPI) -> None:
    """Serve the files; a folder that is not there has none."""
    app.mount("/static", _Files(directory=FOLDER, check_dir=False), name="static")
