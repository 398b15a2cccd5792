#!/usr/bin/env bash
# Protego 0.7.0 (PyPI): decodes escapes of reserved characters before it compares, though RFC 9309 §2.2.2 decodes only
# those of unreserved ones. Seen: `Disallow: /a?b` also forbids `/a%3Fb`. Google's parser, and RFC 9309, tell the two apart.
# Exits 0 while that is so, and 1 once it tells them apart.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check protego==0.7.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from protego import Protego

allows = Protego.parse("User-agent: *\nDisallow: /a?b").can_fetch("http://a.test/a%3Fb", "bot")
print(f"Disallow: /a?b → /a%3Fb {'allowed' if allows else 'forbidden'}")
if allows:
    print("changed: they are told apart")
    sys.exit(1)
print("as stated: an escaped question mark is a question mark")
PYTHON
