"""Who can reach the server: on loopback this machine alone, anywhere else whoever has the token."""

from __future__ import annotations

import ipaddress
import re

from contract.errors import Refused
from contract.settings import Settings


def check_exposure(settings: Settings) -> None:
    """Raise `Refused` for an address that others can reach and no token, or a token that cannot be sent."""
    token = settings.api_token
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise Refused("PENSTOCK_API_TOKEN must be ASCII letters, digits and signs, without blanks")
    if not token and not is_loopback(settings.api_host):
        raise Refused(
            f"{settings.api_host} can be reached from elsewhere: set PENSTOCK_API_TOKEN to a long random word, "
            "or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
