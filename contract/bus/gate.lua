-- The politeness gate: when may these requests really start? Asked right before them, so that time spent waiting on a
-- stream or in a worker cannot push two requests together. Every request passes it, also one that keeps no distance of
-- its own: others do, and its host may have asked to be left alone.
-- (with clock.lua)
--
-- KEYS[1]  host of the first request (hash, see scheduler/frontier/keys.lua: asked_at, clear_at, next_at, block_until)
-- KEYS[2]  the stream of its delivery
-- KEYS[3..] the same of the others
-- KEYS[#KEYS] clock
-- ARGV[1]  group
-- ARGV[2]  consumer that asks
-- ARGV[3]  gap to keep between starts, in ms
-- ARGV[4]  entry id
-- ARGV[5]  the start that it was given before and missed, or 0
-- ARGV[6..] the same three of the others
-- returns  ms to wait before the start, the start; and so on. Or -1, 0: the delivery belongs to somebody else by now, or
--          to a world that is gone
local now = clock(table.remove(KEYS))
local LONGEST_BLOCK = 3600000
local SLOTS = 64 -- a clock that was set back must not block a host: nothing is further ahead than the slots given out

local function belongs(stream, id)
  local pending = redis.pcall('XPENDING', stream, ARGV[1], id, id, 1)
  return not pending.err and pending[1] and pending[1][2] == ARGV[2]
end

local function start_of(host, gap, missed)
  local h = redis.call('HMGET', host, 'asked_at', 'block_until', 'clear_at', 'next_at')
  local asked, block = tonumber(h[1] or '0'), tonumber(h[2] or '0')
  local clear, next_at = tonumber(h[3] or '0'), tonumber(h[4] or '0')
  local ahead = SLOTS * math.max(gap, clear - asked)
  local start = now
  if asked ~= missed then -- else nobody has come behind it, so its own turn need not be kept clear of
    start = math.max(now, math.min(math.max(asked + gap, clear), now + ahead))
  end
  -- A host that asked to be left alone after this job was issued is left alone, for an hour at most.
  start = math.max(start, math.min(block, now + LONGEST_BLOCK))
  redis.call('HSET', host, 'asked_at', start, 'clear_at', start + gap,
    'next_at', math.max(start + gap, math.min(next_at, now + ahead)))
  return start
end

local turns = {}
for i = 1, #KEYS, 2 do
  local at = 3 + (i - 1) / 2 * 3
  local wait, start = -1, 0
  if belongs(KEYS[i + 1], ARGV[at + 1]) then
    start = start_of(KEYS[i], tonumber(ARGV[at]), tonumber(ARGV[at + 2]))
    wait = start - now
  end
  turns[i], turns[i + 1] = wait, start
end
return turns
