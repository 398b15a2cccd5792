"""The engine under gzip: ISA-L, which is three to eight times as fast, or zlib where there is no wheel of it.

Both have the same functions; nobody else imports either.
"""

import zlib
from typing import Any

engine: Any = zlib
#: Level for what we write. Of ISA-L's 0…3, level 2 takes 45 µs for a page of 37 KB and leaves 0.21 of it.
LEVEL = 1

try:
    from isal import isal_zlib
except ImportError:
    pass
else:
    engine, LEVEL = isal_zlib, 2
