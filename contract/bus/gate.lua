-- The politeness gate: when may this request really start? Asked right before it, so that time spent waiting on a
-- stream or in a worker cannot push two requests together.
--
-- KEYS[1]  host (hash, see scheduler/frontier/keys.lua: asked_at, next_at, block_until)
-- KEYS[2]  the delivery's stream
-- ARGV[1]  gap to keep between starts, in ms
-- ARGV[2]  group
-- ARGV[3]  entry id
-- ARGV[4]  consumer that asks
-- ARGV[5]  the start that it was given before and missed, or 0
-- returns  {ms to wait before the start, the start}, or {-1, 0}: the delivery belongs to somebody else by now, or to a
--          world that is gone
local pending = redis.pcall('XPENDING', KEYS[2], ARGV[2], ARGV[3], ARGV[3], 1)
if pending.err or not pending[1] or pending[1][2] ~= ARGV[4] then
  return {-1, 0}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gap = tonumber(ARGV[1])
local host = redis.call('HMGET', KEYS[1], 'asked_at', 'block_until')
local asked, block = tonumber(host[1] or '0'), tonumber(host[2] or '0')
if asked == tonumber(ARGV[5]) then -- nobody has come behind it, so its own turn need not be kept clear of
  asked = asked - gap
end
-- A clock that was set back must not block a host: nothing is ever further ahead than the slots given out.
local start = math.max(now, math.min(asked + gap, now + 64 * gap))
-- A host that asked to be left alone after this job was issued is left alone, for an hour at most.
start = math.max(start, math.min(block, now + 3600000))
redis.call('HSET', KEYS[1], 'asked_at', start, 'next_at', start + gap)
return {start - now, start}
