-- A crawl that was lost is whole again: from here on it can end.
-- (with take.lua, keys.lua, envelope.lua, queues.lua, restoring.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl   ARGV[5]  epoch   ARGV[6]  run
-- returns  1 if it was worked in, else 0
if not applies(KEYS[2], ARGV[1], ARGV[2], ARGV[4], ARGV[5], ARGV[6]) then return 0 end
redis.call('HDEL', crawl_key(ARGV[4]), 'restoring')
finish(ARGV[4], 'scheduler.restore', ARGV[3])
return 1
