"""Put messages on their streams, all in one step. For commands and tests; stages use `hand_over`."""

from contract import codec
from contract.bus.connection import Bus
from contract.envelope import Message


async def publish(bus: Bus, *messages: Message) -> None:
    """Append each message to the stream of its type. Raises redis errors: the caller knows whether to repeat."""
    async with bus.redis.pipeline(transaction=True) as pipeline:
        for message in messages:
            pipeline.xadd(bus.keys.stream(message.envelope.type), {"e": codec.encode(message)})
        await pipeline.execute()
