"""`penstock doctor`: look at everything that a cluster stands on, and say what to mend."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from contract.logs import visible
from penstock.doctor.examine import examine

WELL, ILL = 0, 1


def doctor(given: dict[str, Any], *, json: bool) -> int:
    """Print each finding on a line, or all as one JSON object; returns 1 if one of them is bad, else 0."""
    findings = asyncio.run(examine(given))
    status = ILL if any(finding.level == "bad" for finding in findings) else WELL
    if json:
        print(msgspec.json.encode({"ok": status == WELL, "findings": findings}).decode())
        return status
    for finding in findings:
        print(visible(str(finding)))
    return status
