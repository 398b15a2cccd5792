"""The files of the published contract: what each is called, and its text.

The same classes and the same map give the same bytes, on any machine and any Python that Penstock runs on.
"""

import json
from pathlib import Path
from typing import Any

from contract.codec import KINDS
from contract.envelope import Payload
from contract.published.asyncapi import document
from contract.published.schemas import bundle, message_schema

#: Version of AsyncAPI → the document's file.
ASYNCAPI = {"3.1.0": "asyncapi.json", "3.0.0": "asyncapi-3.0.json"}
BUNDLE = "schemas.draft-07.json"


def schema_path(kind: type[Payload]) -> str:
    """Where the JSON Schema of a message kind's current version lies, below the contract's folder."""
    return f"schemas/{kind.TYPE}.v{kind.VERSION}.json"


def files() -> dict[str, str]:
    """Path below the contract's folder → text, of every file that the code decides."""
    schemas = {schema_path(kind): _text(message_schema(kind)) for kind in KINDS.values()}
    documents = {name: _text(document(version)) for version, name in ASYNCAPI.items()}
    return {**documents, BUNDLE: _text(bundle(KINDS.values())), **schemas}


def write(folder: Path) -> int:
    """Write every file; returns their number. Schemas of older versions are left as they are. Raises `OSError`."""
    found = files()
    for name, text in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return len(found)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
