-- A part of a replay that no scheduler can work in, however often it tries, becomes a dead letter. Whoever waits for all
-- parts would wait for ever, and what was told is not whole without it: so the replay learns of it, and begins anew.
-- (with take.lua, clock.lua, keys.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- KEYS[3]  stream of the stage's dead letters
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl   ARGV[5]  epoch   ARGV[6]  run
-- ARGV[7]  raw bytes of the message   ARGV[8]  name of the stream   ARGV[9]  reason   ARGV[10]  deliveries so far
-- returns  1, or 0 if somebody else did this before
local LOST = -2 ^ 40 -- more than all parts there may be, so the count stays below zero whatever else is worked in
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
redis.call('XADD', KEYS[3], '*', 'e', ARGV[7], 'stream', ARGV[8], 'id', ARGV[2], 'reason', ARGV[9], 'count', ARGV[10],
  'said', 0)
if redis.call('GET', epoch_key) == ARGV[5] then
  redis.call('HINCRBY', crawl_key(ARGV[4]), 'run.' .. ARGV[6], whole(LOST))
end
return 1
