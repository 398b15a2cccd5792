"""What the workers share about a host's robots.txt."""

import msgspec


class RobotsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`verdict` as in `RobotsFetched`, the first 512 KiB of the file as text, and the capped crawl-delay (ms)."""

    verdict: str
    text: str = ""
    crawl_delay_ms: int = 0
    reason: str = ""
