"""`penstock rebuild`: read models, made again from the event store."""

from __future__ import annotations

from typing import Any

from contract.settings import load
from penstock.commands.recorded import recorded
from penstock.view.bar import bar
from storage.read_models import item_views
from storage.rebuild import chosen_projections
from storage.rebuild import rebuild as build


def rebuild(model: str | None, given: dict[str, Any]) -> None:
    """Make the read model (all if None) anew; raises `Refused` for one that is unknown."""
    chosen_projections(model)
    with recorded(load(given)) as engine, bar(f"rebuilding {model or 'all read models'}", unit="events") as show:
        build(engine, model, on_progress=show)
        item_views.refresh(engine)
