-- Library. The one place that reads the server's clock. What we go by is our own time: it runs as the server's clock
-- does, but it is not set back when that is, and does not leap when that does. Who was to wait for an hour waits for it.
--
-- clock(key)                our time now, in ms; the same however often a script asks
-- vouch(key, told, steady)  our time now, by the word of somebody who lives: at least `steady` ms have passed since it
--                           was `told` the time. So much of a leap that was meanwhile is made up for, and the rest was
--                           none. told '': it has just come. A leap that nobody has lived through, as it seems after
--                           some time, is taken for time that has passed: a cluster that was away has no other clock
-- told()                    what to tell it for the next time: our time, and what is in doubt
-- from_unix(key, at)        Unix ms of the server's clock in our time
-- turn(key)                 how often the clock was set so far that leases mean nothing any more (see reclaim.lua)
-- in_truth(at)              our time by which something happened that was noted as having been then. What was noted while
--                           our time stood still was later by what has been made up for since (after clock, or vouch)
-- anew(key)                 our time when another server took this one's place, which may have lost its last seconds: it
--                           was started again, or a replica was promoted (see meet.lua); 0 where it is the first
--
-- To go by it costs a script some 3.5 us more than to ask the server for the time (python -m benchmarks.clock_cpu).
--
-- key   HASH  at     server's clock when it was read last (Unix ms), `ahead` of which our time is by so many ms
--             doubt  ms by which the server's clock has leapt, until somebody can say how much time has truly passed
--             leapt  since when there is doubt (Unix ms)
--             from, to, by what was noted from then on, and before it was made up for, was later by so many ms
--             turn, anew   see above;  renewed.<group>.<stream>  the turn in which the leases of a group were renewed
--             server the run id of the server (meet.lua)
local CLOCK_GRAIN = 50      -- it is written down this often, and can go back by no more than that
local CLOCK_LEAP = 250      -- dispatch reads it every 50 ms, so whoever finds more has cause for doubt
local CLOCK_LEASES = 6000   -- consumers read it every 2 s and renew each 5 s; this and those must stay below a lease (15 s)
local CLOCK_PATIENCE = 2000 -- who lives and can say something about a leap has said it by then
local CLOCK_FIELDS = {'at', 'ahead', 'doubt', 'leapt', 'turn', 'anew', 'from', 'to', 'by'}
local clock_read

local function clock_write(key)
  local words = {}
  for _, name in ipairs(CLOCK_FIELDS) do
    words[#words + 1], words[#words + 2] = name, string.format('%.0f', clock_read[name])
  end
  redis.call('HSET', key, unpack(words))
end

local function clock(key)
  if clock_read then return clock_read.at + clock_read.ahead end
  local time = redis.call('TIME') -- once: Redis 7.0 does not stop it while a script runs
  local c = {}
  for i, value in ipairs(redis.call('HMGET', key, unpack(CLOCK_FIELDS))) do c[CLOCK_FIELDS[i]] = tonumber(value or '0') end
  local at, is_new = time[1] * 1000 + math.floor(time[2] / 1000), c.at == 0
  local step = is_new and 0 or at - c.at
  clock_read, c.at = c, at
  if step < 0 or step > CLOCK_LEAP then c.ahead = c.ahead - step end
  if step > CLOCK_LEAP then
    if c.doubt == 0 then c.leapt = at end
    c.doubt = c.doubt + step
  end
  if step < -CLOCK_LEAP or step > CLOCK_LEASES then c.turn = c.turn + 1 end
  if step < 0 or step >= CLOCK_GRAIN or is_new then clock_write(key) end
  return c.at + c.ahead
end

local function vouch(key, told, steady)
  local now, c = clock(key), clock_read
  local since, known = string.match(told, '^(%d+) (%d+)$')
  local missing, doubt, from = 0, c.doubt, tonumber(since or now)
  if since then -- it can say nothing about what was in doubt before it came
    missing, c.doubt = math.max(0, tonumber(steady) - (now - tonumber(since))), math.min(doubt, tonumber(known))
  end
  if c.doubt > 0 and math.abs(c.at - c.leapt) > CLOCK_PATIENCE then
    missing, c.doubt = missing + c.doubt, 0
    from = math.min(from, now - math.abs(c.at - c.leapt))
  end
  if missing > CLOCK_LEAP or c.doubt < doubt then
    if missing > 0 then c.from, c.to, c.by = from - CLOCK_GRAIN, now, missing end
    c.ahead = c.ahead + missing
    clock_write(key)
  end
  return c.at + c.ahead
end

local function told()
  return string.format('%.0f %.0f', clock_read.at + clock_read.ahead, clock_read.doubt)
end

local function from_unix(key, at)
  clock(key)
  return at + clock_read.ahead
end

local function turn(key)
  clock(key)
  return clock_read.turn
end

local function anew(key)
  clock(key)
  return clock_read.anew
end

local function in_truth(at)
  local c = clock_read
  return at >= c.from and at < c.to + c.by and at + c.by or at
end
