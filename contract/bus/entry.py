"""The way in: what every stage does before it takes anything from Redis.

Takes a bus, gives it back with a server behind it that can be used, and all groups in place. What passes is waited for:
containers start in any order, and a server may come back. What does not pass, a person is told in one line.
"""

import asyncio
import logging

from redis.exceptions import NoPermissionError, ResponseError

from contract import metrics
from contract.bus.connection import Bus
from contract.bus.groups import ensure_groups
from contract.bus.guards import check_info, server_info
from contract.bus.scripts import PASSING, passing
from contract.errors import Refused
from contract.lifetime import happened
from contract.logs import masked
from contract.topology import Stage

log = logging.getLogger(__name__)

#: Between two looks at a server that does not answer; in the end one line a minute says so four times.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 15.0


async def enter(bus: Bus, stop: asyncio.Event, *stages: Stage) -> bool:
    """Wait for a server that can be used; False if asked to stop before. Who waits is well: these `stages` live.

    Raises `Refused` for what a person must mend.
    """
    pause = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        for stage in stages:
            metrics.beat(stage.name)
        try:
            check_info(await server_info(bus))
            await ensure_groups(bus)
            return True
        except NoPermissionError as error:
            raise explained(error) from None
        except (*PASSING, ResponseError) as error:
            if not passing(error):
                raise Refused(f"Redis at {masked(bus.url)} cannot be used: {error}") from None
            log.warning("waiting for Redis at %s: %s", masked(bus.url), error, extra={"action": "redis_away"})
        await happened(stop, within=pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    return False


def explained(error: BaseException) -> BaseException:
    """`Refused` for what Redis does not allow its user, any other error as it is."""
    if not isinstance(error, NoPermissionError):
        return error
    return Refused(f"this user of Redis may not do all that is needed: {error}; `penstock doctor` names the rights")
