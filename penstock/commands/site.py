"""`penstock site`: the simulated web in the foreground."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from contract.errors import Refused
from penstock.site import SiteOptions, serve_forever
from penstock.site.errors import SiteError


def site(given: dict[str, Any]) -> None:
    """Serve until SIGINT or SIGTERM; raises `Refused` for options that make no web."""
    given["log"] = Path(given["log"]) if given["log"] else None
    try:
        asyncio.run(serve_forever(SiteOptions(**given)))
    except (SiteError, msgspec.ValidationError) as error:
        raise Refused(str(error)) from None
