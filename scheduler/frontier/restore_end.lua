-- A crawl that was lost is whole again: from here on it can end. Pages that can never be given to the parsers are counted as
-- read in the same step in which the crawl may end, or it would wait for them for ever.
-- (with take.lua, clock.lua, keys.lua, envelope.lua, queues.lua, restoring.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl   ARGV[5]  epoch   ARGV[6]  run
-- ARGV[7..] fingerprints of these pages
-- returns  1 if it was worked in, else 0
local crawl = ARGV[4]
if not applies(KEYS[2], ARGV[1], ARGV[2], crawl, ARGV[5], ARGV[6]) then return 0 end
for i = 7, #ARGV do
  redis.call('HINCRBY', crawl_key(crawl), 'unfinished', -redis.call('SREM', unread_key(crawl), ARGV[i]))
end
redis.call('HDEL', crawl_key(crawl), 'restoring')
finish(crawl, 'scheduler.restore', ARGV[3])
return 1
