"""Pages that were fetched in another epoch and never read: given to the parsers alone, each once."""

from contract.bus.connection import Bus
from contract.bus.scripts import Script, run
from contract.envelope import Message
from contract.topology import PARSE

REREAD = Script("contract.bus", "reread.lua")


async def reread(bus: Bus, message: Message, *, raw: bytes, body: bytes | None) -> bool:
    """Give this page.fetched with its body to the parsers; False where the frontier does not wait for it."""
    crawl, page = message.envelope.crawl, message.payload
    keys = [bus.keys.unread(crawl), bus.keys.again(PARSE.name), bus.keys.body(message.envelope.id), bus.keys.body_bytes]
    return bool(await run(bus.redis, REREAD, keys, [page.fingerprint, raw, body or b""]))
