"""Prometheus' own tool, the judge of metrics, rules and queries."""

import os
import shutil
import subprocess

import pytest


def promtool(*words: str, said: str | None = None) -> str:
    """What it has to find fault with, or nothing; skips where it is missing, fails there where tests are complete."""
    found = shutil.which("promtool")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no promtool on PATH (apt-get install prometheus)")
    done = subprocess.run([found, *words], input=said, capture_output=True, text=True)
    return "" if done.returncode == 0 and not done.stderr else done.stdout + done.stderr
