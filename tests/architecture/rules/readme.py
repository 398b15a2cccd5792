"""README.md holds blocks that the code writes; each stands between two marks."""

import re


def block_of(text: str, name: str) -> str | None:
    """The block between `<!-- name:begin -->` and `<!-- name:end -->`, stripped; None if it is not there."""
    found = re.search(rf"<!-- {name}:begin -->(.*?)<!-- {name}:end -->", text, re.S)
    return found[1].strip() if found else None
