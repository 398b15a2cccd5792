"""The names of WARC records: they follow from what a record is about, so that whoever writes one again writes the same.

Fetchers, recorders and exports name records of each other. Source: WARC/1.1 §5.2 (WARC-Record-ID), RFC 9562 (UUID).
"""

import uuid


def record_id(name: str) -> str:
    """The WARC-Record-ID of a record, by the id of the event that it is of."""
    return f"<{uuid.uuid5(uuid.NAMESPACE_OID, name).urn}>"


def warcinfo_id(crawl: str) -> str:
    """That of the warcinfo record of a crawl, which each of its records names (§5.12)."""
    return record_id(f"{crawl}.warcinfo")
