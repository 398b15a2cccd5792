"""Limiters as tables of arithmetic, and a host's pace that is learnt at them by a clock of our own.

Takes a limiter and the settings of a crawl; gives what was refused and when. The algorithm is the library that runs in
the server (`pace.lua`), driven there: nothing is written twice.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import msgspec

#: One request after the other, each after the pace that was learnt, and after a pause where the last was refused.
_DRIVER = """
local s = {pace = 0, first = 0, peak = 0, good = 0, eased_at = -1, most = 0, row = 0}
local limiter, delay, requests = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local rate, burst, window = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now, told, excess, last, log = 0, {}, 0, nil, {}
local allows = {}
-- nginx limit_req with nodelay: a bucket that leaks; what is refused does not count.
function allows.leaking()
  local level = last and math.max(0, excess - rate * (now - last) / 1000 + 1) or 0
  if level > burst then return false end
  excess, last = level, now
  return true
end
-- HAProxy http_req_rate(window): all requests of the window count, also those that are refused.
function allows.sliding()
  log[#log + 1] = now
  while log[1] <= now - window do table.remove(log, 1) end
  return #log <= burst
end
-- So many in each window, from its first request on.
function allows.fixed()
  if not last or now >= last + window then last, excess = now, 0 end
  excess = excess + 1
  return excess <= burst
end
for _ = 1, requests do
  if allows[limiter]() then
    answered(s)
    told[#told + 1] = now
    now = now + math.max(delay, s.pace, 5)
  else
    refused(s, now, now, delay, 1)
    told[#told + 1] = -now
    now = now + math.max(delay, s.pace, pause_of(s))
  end
end
return cjson.encode(told)
"""


class Told(msgspec.Struct, frozen=True):
    """When requests were answered for good, and when refused, in seconds."""

    good: list[float]
    refused: list[float]

    def rate(self, since: float) -> float:
        """Good answers a second from then on."""
        late = [at for at in self.good if at >= since]
        return (len(late) - 1) / (late[-1] - late[0])


async def crawled(redis: Any, limiter: str, *, delay: int, requests: int, rate: float, burst: int, window: int) -> Told:
    """So many requests at a limiter, one at a time."""
    library = resources.files("scheduler.frontier").joinpath("pace.lua").read_text()
    script = f"{library}\n{_DRIVER}"
    raw = await redis.eval(script, 0, limiter, delay, requests, rate, burst, window)
    told = msgspec.json.decode(raw, type=list[float])
    return Told([at / 1000 for at in told if at >= 0], [-at / 1000 for at in told if at < 0])


_LEARNING = """
local s = {pace = 0, first = 0, peak = 0, good = 0, eased_at = -1, most = 0, row = 0}
for _, told in ipairs(cjson.decode(ARGV[1])) do
  if told[1] == 'refused' then refused(s, told[2], told[3], 0, told[4]) end
  if told[1] == 'slow' then slow(s, told[2], told[3], 0) end
  if told[1] == 'answered' then answered(s) end
end
return cjson.encode(s)
"""


async def learnt(redis: Any, told: list[tuple[str, int, int, int]]) -> dict[str, float]:
    """The state after what a host did: what, when, when that was sent, requests at once that are wanted."""
    library = resources.files("scheduler.frontier").joinpath("pace.lua").read_text()
    raw = await redis.eval(f"{library}\n{_LEARNING}", 0, msgspec.json.encode(told))
    return msgspec.json.decode(raw, type=dict[str, float])
