"""The map: every stage with what it takes and what it gives. Nothing travels on a stream that is not in it.

Consumer groups are made from it, the README's diagram is drawn from it, and tests hold it against the code. Beside the
streams of the map, each stage that takes something has one of its own, `again.<stage>`, on which a message is given to
it once more without the others seeing it.
"""

import msgspec

COMMANDS = (
    *("crawl.start", "seeds.add", "crawl.pause", "crawl.resume", "crawl.cancel"),
    "page.fetch",
    "frontier.restore",
)
OUTCOMES = ("page.fetched", "page.failed", "page.excluded")
EVENTS = (
    *("crawl.started", "seeds.added", "crawl.paused", "crawl.resumed", "crawl.cancelled", "crawl.finished"),
    *OUTCOMES,
    "robots.fetched",
    "page.parsed",
)


class Stage(msgspec.Struct, frozen=True):
    """One verb of the system; its name is its module, consumer group, logger and metric label."""

    name: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    summary: str


SEED = Stage(
    "scheduler.seed",
    takes=("crawl.start", "seeds.add", "crawl.pause", "crawl.resume", "crawl.cancel"),
    gives=(
        *(
            "crawl.started",
            "seeds.added",
            "crawl.paused",
            "crawl.resumed",
            "crawl.cancelled",
            "crawl.finished",
        ),
        "page.excluded",
    ),
    summary="plants a crawl's seeds in the frontier, pauses, resumes and cancels it",
)
DISCOVER = Stage(
    "scheduler.discover",
    takes=("page.parsed",),
    gives=("page.excluded", "crawl.finished"),
    summary="adds to the frontier the links that are in scope and not yet known",
)
DISPATCH = Stage(
    "scheduler.dispatch",
    takes=(),
    gives=("page.fetch", "page.failed", "page.excluded", "crawl.finished"),
    summary="issues due URLs, host by host, as politeness allows",
)
SETTLE = Stage(
    "scheduler.settle",
    takes=(*OUTCOMES, "robots.fetched"),
    gives=("crawl.finished",),
    summary="frees the host's slot, plans retries, notices the end of a crawl",
)
FETCH = Stage(
    "scraper.fetch",
    takes=("page.fetch",),
    gives=(*OUTCOMES, "robots.fetched"),
    summary="gets pages, under Celery",
)
PARSE = Stage(
    "scraper.parse",
    takes=("page.fetched",),
    gives=("page.parsed",),
    summary="reads a stored body and says what is in it",
)
REPLAY = Stage(
    "storage.replay",
    takes=(),
    gives=("frontier.restore",),
    summary="tells a Redis that has lost unfinished crawls what is recorded of them",
)
RESTORE = Stage(
    "scheduler.restore",
    takes=("frontier.restore",),
    gives=("page.excluded", "crawl.finished", "crawl.cancelled"),
    summary="builds the frontier anew from what is recorded",
)
NOTIFY = Stage(
    "penstock.notify",
    takes=("crawl.started", "crawl.paused", "crawl.resumed", "crawl.cancelled", "crawl.finished"),
    gives=(),
    summary="posts the events of a crawl's life to its webhook",
)
RECORD = Stage(
    "storage.record",
    takes=EVENTS,
    gives=(),
    summary="writes event store, read models and archive, in one transaction a batch",
)

STAGES: tuple[Stage, ...] = (SEED, DISCOVER, DISPATCH, SETTLE, FETCH, PARSE, REPLAY, RESTORE, NOTIFY, RECORD)

#: Every stream there is; one message type each.
STREAMS: tuple[str, ...] = (*COMMANDS, *EVENTS)


def again(stage: str) -> str:
    """The stream on which messages of any type are given once more to this stage alone."""
    return f"again.{stage}"


def streams_of(stage: Stage) -> tuple[str, ...]:
    """Every stream that a stage reads: those of the map, and its own."""
    return (*stage.takes, again(stage.name)) if stage.takes else ()


#: Every stream that has readers.
ALL_STREAMS: tuple[str, ...] = (*STREAMS, *(again(stage.name) for stage in STAGES if stage.takes))


def groups_of(stream: str) -> tuple[str, ...]:
    """The names of the stages that take from this stream, each a consumer group."""
    return tuple(stage.name for stage in STAGES if stream in streams_of(stage))


def diagram() -> str:
    """The map as a Mermaid flowchart, for the README."""
    lines = ["```mermaid", "flowchart LR"]
    for stage in STAGES:
        lines.append(f'  {_node(stage.name)}["{stage.name}<br/><small>{stage.summary}</small>"]')
    lines.append("  frontier[(frontier)]")
    lines.append("  sql[(event store · read models · archive)]")
    for stage in STAGES[:-1]:
        for stream in stage.gives:
            lines.extend(_arrow(stage.name, stream))
    lines.append("  command([penstock crawl]) -- crawl.start --> scheduler_seed")
    lines.extend(f"  {_node(name)} --> frontier" for name in (SEED.name, DISCOVER.name, SETTLE.name, RESTORE.name))
    lines.append(f"  frontier --> {_node(DISPATCH.name)}")
    lines.append(f"  sql --> {_node(REPLAY.name)}")
    lines.append(f"  {_node(NOTIFY.name)} --> webhooks([webhooks])")
    lines.append(f"  every([every event]) --> {_node(RECORD.name)} --> sql")
    return "\n".join([*lines, "```"])


def _arrow(giver: str, stream: str) -> list[str]:
    takers = [name for name in groups_of(stream) if name not in (RECORD.name, giver)]
    return [f"  {_node(giver)} -- {stream} --> {_node(taker)}" for taker in takers]


def _node(name: str) -> str:
    return name.replace(".", "_")
