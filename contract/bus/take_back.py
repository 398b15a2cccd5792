"""A command that nobody has begun to carry out, taken off its stream, so that it is not carried out when nobody waits.

Takes a message that was published for one stage, owns nothing.
"""

from contract.bus.connection import Bus
from contract.bus.scripts import Call, Script, attempt
from contract.envelope import Message
from contract.topology import Stage

TAKE_BACK = Script("contract.bus", "take_back.lua")


async def take_back(bus: Bus, command: Message, stage: Stage) -> bool:
    """Whether it was taken back; False where a consumer of the stage has it, or had it. Raises what redis-py raises."""
    keys, id = [bus.keys.stream(command.envelope.type)], f'"{command.envelope.id}"'
    return bool((await attempt(bus.redis, [Call(TAKE_BACK, keys, [stage.name, id])]))[0])
