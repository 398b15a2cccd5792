"""The pace of the scheduler's stages: the busier they are, the more they do in one round trip.

A round trip to Redis costs as much as handling several messages. So after each batch a stage waits a moment, the longer
the larger the batch was: a lone page goes on at once, and under load many pages share a trip.
"""

import asyncio

#: Added by each message of the last batch, up to the longest; the longest is what a URL may wait in each stage.
_PER_MESSAGE_SECONDS, _LONGEST_SECONDS = 0.001, 0.012


async def gather(batch: int) -> None:
    """Wait for company, after a batch of so many messages."""
    await asyncio.sleep(min(batch * _PER_MESSAGE_SECONDS, _LONGEST_SECONDS))
