"""What a receiver's answer means, and when the next attempt is. Pure, but for the jitter that `chance` gives."""

import random
from typing import Literal

import msgspec

_GONE = 410


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When an event is posted again. With these numbers the last attempt is 6 to 13 minutes after the first."""

    #: Posts of one event before it becomes a dead letter.
    attempts: int = 8
    #: The wait before the second attempt; doubles with each.
    first_seconds: float = 6.0
    #: The longest that a receiver can make us wait by one Retry-After.
    most_asked_seconds: float = 600.0


class Outcome(msgspec.Struct, frozen=True):
    """How a post ended: taken, to be tried again, or never to be; `words` tell it without the URL."""

    verdict: Literal["taken", "again", "never"]
    words: str
    asked_seconds: float = 0.0


def outcome_of_answer(status: int, *, retry_after_ms: int | None) -> Outcome:
    """2xx is taken; 410 is a receiver that wants no more; any other answer, a redirect too, may be better next time."""
    words = f"answered {status}"
    if 200 <= status < 300:
        return Outcome("taken", words)
    return Outcome("never" if status == _GONE else "again", words, (retry_after_ms or 0) / 1000)


def outcome_of_failure(reason: str, verdict: Literal["never", "again"]) -> Outcome:
    """No answer; `reason` is the word of a fetch error, `verdict` what that means to a webhook."""
    return Outcome(verdict, f"no answer: {reason}")


def next_in_seconds(outcome: Outcome, attempt: int, schedule: Schedule, chance: random.Random) -> float | None:
    """The wait after this attempt (the first is 1): exponential, jittered over its upper half; None: give it up."""
    if outcome.verdict == "never" or attempt >= schedule.attempts:
        return None
    longest = schedule.first_seconds * 2.0 ** (attempt - 1)
    asked = min(outcome.asked_seconds, schedule.most_asked_seconds)
    return max(longest * chance.uniform(0.5, 1.0), asked)
