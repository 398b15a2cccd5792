"""When a batch should wait for company, where it becomes one object: those of a few pages are a nuisance. Pure."""

from collections.abc import Sequence

from contract.bus import Delivery
from contract.pages import body_of

#: A batch of so many bytes of bodies, or so many pages, waits no longer. The pages are held meanwhile, so this must
#: stay well below the `high_water_pages` at which dispatch stops.
WORTH_BYTES, WORTH_PAGES = 8 * 1024 * 1024, 500


def is_worth_an_object(deliveries: Sequence[Delivery]) -> bool:
    """Whether to record these at once.

    So it is with a batch without any body, with the news of a crawl's life (people wait for them), and with what was
    reclaimed: whoever held it before may have died of it, and it must not take company along.
    """
    stored = [body.stored for each in deliveries if (body := body_of(each.payload))]
    return (
        not stored
        or sum(stored) >= WORTH_BYTES
        or len(stored) >= WORTH_PAGES
        or any(each.count > 1 or each.message.envelope.type.startswith("crawl.") for each in deliveries)
    )
