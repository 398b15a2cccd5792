"""Files of ours for nobody else's eyes: what is recorded, the embedded server's file, the logs.

One switch for a process and all that it starts, because files are made by SQLite and by the server too.
"""

import os

#: What others may do in a folder of ours: nothing.
PRIVATE_MODE = 0o700


def keep_private() -> None:
    """From here on what this process makes is its owner's alone: folders 0700, files 0600."""
    os.umask(0o077)
