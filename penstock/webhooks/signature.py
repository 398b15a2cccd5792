"""The headers by which a receiver knows who has posted, and that nothing was changed. Pure.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac

from contract.errors import Refused

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """The key in a secret: what follows `whsec_`, from base64, or the text itself; empty for an empty one.

    Raises `Refused`, without repeating the secret.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    coded = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise Refused("wrong setting: webhook_secret begins with whsec_, but what follows is not base64")
    return key


def headers_for(id: str, body: bytes, *, key: bytes, at: int) -> dict[str, str]:
    """The webhook headers of one attempt at `at` (Unix seconds); without a key there is no signature among them."""
    headers = {"webhook-id": id, "webhook-timestamp": str(at)}
    if key:
        digest = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
