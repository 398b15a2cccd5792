"""All projections in one call: events → read models.

A projection is a module of `storage.read_models.projections` that has `TABLES` and `fold`; that file is all it needs to
be found.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Connection, Table

from storage.read_models import projections
from storage.read_models.projections.rows import Row
from storage.store.event_store import Recorded


class Projection(Protocol):
    """A module that makes one read model."""

    TABLES: Sequence[Table]

    def fold(self, connection: Connection, events: Sequence[Recorded]) -> Any:
        """Work events, each of which comes once, into its tables."""


def _found() -> dict[str, Projection]:
    names = sorted(module.name for module in pkgutil.iter_modules(projections.__path__))
    modules = {name: importlib.import_module(f"{projections.__name__}.{name}") for name in names}
    return {name: cast(Projection, module) for name, module in modules.items() if hasattr(module, "TABLES")}


#: Every projection, by the name of its read model; each owns its `TABLES`.
PROJECTIONS = _found()


def fold(connection: Connection, events: Sequence[Recorded]) -> list[Row]:
    """Work events, each of which comes once, into every read model; returns the rows of pages that they touched."""
    results = {name: projection.fold(connection, events) for name, projection in PROJECTIONS.items()}
    return cast(list[Row], results["pages"])
