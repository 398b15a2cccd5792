-- The politeness gate: when may these requests really start? Asked right before them, so that time spent waiting on a
-- stream or in a worker cannot push two requests together. Every request passes it, also one that keeps no distance of
-- its own: others do, and its host may have asked to be left alone.
-- (with clock.lua)
--
-- KEYS[1]  host of the first request (hash, see scheduler/frontier/keys.lua: asked_at, clear_at, next_at, block_until, pace)
-- KEYS[2]  the stream of its delivery
-- KEYS[3..] the same of the others
-- KEYS[#KEYS - 1] hosts that nobody wants   KEYS[#KEYS] clock
-- ARGV[1]  group
-- ARGV[2]  consumer that asks
-- ARGV[3]  gap to keep between starts, in ms
-- ARGV[4]  by how many ms it may start late
-- ARGV[5]  entry id
-- ARGV[6]  the turn that it was given before and missed, or 0
-- ARGV[7..] the same four of the others
-- returns  ms to wait before the start, the turn's name, 1 if it counts when it starts; and so on. Or -1, 0, 0: the
--          delivery belongs to somebody else by now, or to a world that is gone
local clock_key, resting = table.remove(KEYS), table.remove(KEYS)
local now, since = clock(clock_key), anew(clock_key)
local LONGEST_BLOCK = 3600000
local RECENTLY = 60000 -- who kept a distance so lately may come back
local UNSEEN = 100     -- who kept none, and knew of nobody who does, may have started so late
local LIFE = 7200000   -- a host that no crawl has asked, to which a robots.txt led, is remembered for so long after it
local SLOTS = 64 -- a clock that was set back must not block a host: nothing is further ahead than the slots given out

local function belongs(stream, id)
  local pending = redis.pcall('XPENDING', stream, ARGV[1], id, id, 1)
  return not pending.err and pending[1] and pending[1][2] == ARGV[2]
end

-- asked_at is the latest moment at which the last one starts, and names its turn; clear_at is noted only by those that
-- keep a distance.
local function start_of(host, gap, slack, missed)
  local h = redis.call('HMGET', host, 'asked_at', 'block_until', 'clear_at', 'next_at', 'pace', 'in_flight')
  gap = math.max(gap, tonumber(h[5] or '0'))
  local named, block = tonumber(h[1] or '0'), tonumber(h[2] or '0')
  local asked, behind = in_truth(named), named ~= missed -- else nobody has come behind it: its own turn is not kept clear of
  local clear, next_at = tonumber(h[3] or '0'), tonumber(h[4] or '0')
  local shared = clear > now - RECENTLY
  local strict = gap > 0 or shared
  if not strict then slack = 0 end
  if gap > 0 and not shared then asked = asked + UNSEEN end
  local ahead = SLOTS * math.max(gap + slack, clear - asked)
  local start = now
  if behind then
    start = math.max(now, math.min(math.max(gap > 0 and asked + gap or 0, clear), now + ahead))
  end
  -- A server that has lost its last seconds does not know who has started in them.
  if gap > 0 and since > 0 then start = math.max(start, since + math.min(gap, LONGEST_BLOCK)) end
  -- A host that asked to be left alone after this job was issued is left alone, for an hour at most.
  start = math.max(start, math.min(block, now + LONGEST_BLOCK))
  local last = start + slack
  if behind then last = math.max(last, math.min(asked, now + ahead)) end
  redis.call('HSET', host, 'asked_at', last, 'next_at', math.max(start + gap, math.min(next_at, now + ahead)))
  if gap > 0 then redis.call('HSET', host, 'clear_at', last + gap) end
  if not h[6] then -- else whoever has issued this sees to it
    local name = string.sub(host, #resting - #'resting' + #'host:' + 1)
    redis.call('ZADD', resting, string.format('%.0f', math.max(last, block) + gap + LIFE), name)
  end
  return start, last, strict and 1 or 0
end

local turns = {}
for i = 1, #KEYS, 2 do
  local at = 3 + (i - 1) / 2 * 4
  local wait, start, last, strict = -1, 0, 0, 0
  if belongs(KEYS[i + 1], ARGV[at + 2]) then
    start, last, strict = start_of(KEYS[i], tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 3]))
    wait = start - now
  end
  turns[#turns + 1], turns[#turns + 2], turns[#turns + 3] = wait, last, strict
end
return turns
