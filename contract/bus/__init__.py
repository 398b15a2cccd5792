"""The bus: how messages travel on Redis Streams, and how work is handed from stage to stage exactly once.

    publish      put messages on their streams
    Consumer     take deliveries as one of a consumer group; keep their leases; reclaim those of the dead
    hand_over    finish a delivery: acknowledge it and publish its consequences in one atomic step

Lifetimes: a delivery belongs to the consumer that took it for LEASE_SECONDS, renewed by heartbeat while it is held.
When a consumer dies its deliveries become idle and any other consumer of the group reclaims them. Whoever hands over
first wins; a zombie that comes back later changes nothing, because its XACK answers 0.
"""

from contract.bus import lean  # noqa: F401 - before anything that imports redis-py
from contract.bus.connection import Bus
from contract.bus.consumer import Consumer
from contract.bus.delivery import Delivery
from contract.bus.hand_over import HandOver, Keep
from contract.bus.publish import publish

__all__ = ["Bus", "Consumer", "Delivery", "HandOver", "Keep", "publish"]
