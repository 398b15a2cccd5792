"""A process that is tied to the one that started it. Imports little: parser processes are started often."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when its parent ends; a no-op where there is no such call."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # the parent went away before the call
        os.kill(os.getpid(), signal_number)
