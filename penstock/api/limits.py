"""How much a body may say, beside its size: numbers that the OpenAPI document has too."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

#: Longer URLs are left out by the crawl itself.
LONGEST_URL = 2_000
#: Seeds of a new crawl; a body cannot hold many more.
MOST_SEEDS = 500_000
#: Seeds that are added in one message, which a scheduler takes in one step.
MOST_SEEDS_ADDED = 5_000
#: Patterns of a crawl, and characters of one: each is tried on each link.
MOST_PATTERNS, LONGEST_PATTERN = 100, 1_000

Seed = Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
_Pattern = Annotated[str, Field(max_length=LONGEST_PATTERN)]
Patterns = Annotated[list[_Pattern], Field(max_length=MOST_PATTERNS)]


def _whole(value: Any) -> Any:
    """To JSON Schema 2.0 is an integer; to Python it is none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
