"""The stages, as Redis knows them: who is at work, what waits, what was given up."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract.topology import FETCH, NOTIFY, PARSE, RECORD
from penstock.doctor.finding import Finding, bad, ok, span, warn
from penstock.doctor.server import clock

#: Something that a stage has not finished for this long is stuck. Longer than any retry or deadline.
STUCK_SECONDS = 900.0
#: Which command runs a stage; `penstock scheduler` all others.
COMMANDS = {FETCH.name: "worker", PARSE.name: "parse", RECORD.name: "record", NOTIFY.name: "record"}


class StageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A stage's group over all its streams; `alive` counts consumers, `oldest_seconds` is of what is not finished."""

    name: str
    missing: Sequence[str] = ()
    alive: int = 0
    undelivered: int = 0
    pending: int = 0
    oldest_seconds: float = 0.0
    dead_letters: int = 0

    @property
    def waiting(self) -> int:
        """What it has not finished."""
        return self.undelivered + self.pending


class ClusterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All stages, and the fetchers: how far the clock of each is ahead of Redis', in seconds."""

    stages: Sequence[StageFacts]
    is_used: bool
    jobs_in_flight: int
    fetchers: dict[str, float]


def check_stages(facts: ClusterFacts) -> list[Finding]:
    """All findings on the stages."""
    if not facts.is_used:
        mend = "start penstock scheduler, worker, parse and record"
        return [warn("stages", "nobody has used this server below this prefix yet", mend)]
    if not facts.fetchers and not any(stage.alive for stage in facts.stages):
        waiting = sum(stage.waiting for stage in facts.stages)
        level = bad if waiting else warn
        text = f"none is at work, and {waiting:,} messages wait"
        return [level("stages", text, "start penstock scheduler, worker, parse and record"), *_letters(facts.stages)]
    found = [_fetchers(facts) if stage.name == FETCH.name else _stage(stage) for stage in facts.stages]
    return [*found, *_letters(facts.stages), _clocks(facts.fetchers)]


def _stage(stage: StageFacts) -> Finding:
    command = f"penstock {COMMANDS.get(stage.name, 'scheduler')}"
    text = f"{stage.alive} at work, {stage.undelivered:,} wait, {stage.pending:,} held"
    if stage.missing:
        return bad(stage.name, f"no consumer group on {', '.join(stage.missing)}", f"start {command}, which makes it")
    if not stage.alive:
        level = bad if stage.waiting else warn
        return level(stage.name, text.replace("0 at work", "nobody at work", 1), f"start {command}")
    if stage.oldest_seconds > STUCK_SECONDS:
        text = f"{text}, the oldest for {span(stage.oldest_seconds)}"
        return warn(stage.name, text, f"start more of {command}, and see its log")
    return ok(stage.name, text)


def _fetchers(facts: ClusterFacts) -> Finding:
    [stage] = [stage for stage in facts.stages if stage.name == FETCH.name]
    text = f"{stage.undelivered:,} wait, {stage.pending:,} held"
    if stage.missing:
        return _stage(stage)
    if not facts.fetchers and (facts.jobs_in_flight or stage.waiting):
        return bad(FETCH.name, f"no worker takes tickets, {text}", "start penstock worker")
    if not facts.fetchers:
        return ok(FETCH.name, "no work, so no worker shows itself")
    if stage.oldest_seconds > STUCK_SECONDS:
        text = f"{len(facts.fetchers)} at work, {text}, the oldest for {span(stage.oldest_seconds)}"
        return warn(FETCH.name, text, "start more workers, and see their log")
    return ok(FETCH.name, f"{len(facts.fetchers)} at work, {text}")


def _letters(stages: Sequence[StageFacts]) -> list[Finding]:
    found = {stage.name: stage.dead_letters for stage in stages if stage.dead_letters}
    if not found:
        return [ok("dead letters", "none")]
    text = ", ".join(f"{count:,} of {name}" for name, count in found.items())
    return [warn("dead letters", text, "look at them: penstock dead list; give them again: penstock dead retry --all")]


def _clocks(fetchers: dict[str, float]) -> Finding:
    if not fetchers:
        return ok("worker clocks", "no worker shows itself just now")
    name, ahead = max(fetchers.items(), key=lambda item: abs(item[1]))
    return clock("worker clocks", ahead, whose=f"{name}'s", than="Redis'")
