"""`python -m penstock` is `penstock`.

The working folder, which Python would then search first, may have a `storage/` of its own: we import nothing from it.
"""

import sys
from pathlib import Path

if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
    del sys.path[0]

from penstock.cli import main

main()
