-- A URL job that was given up is asked for once more: its dead letter goes, its next attempt is queued.
-- (with clock.lua, keys.lua, envelope.lua, queues.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the dead letters
-- ARGV[1]  the dead letter's id   ARGV[2]  crawl   ARGV[3]  host   ARGV[4]  depth   ARGV[5]  job of the next attempt
-- returns  1; 0 if there is no such dead letter any more; -1 if the crawl is over: then nothing has happened
local crawl = ARGV[2]
local state = redis.call('HGET', crawl_key(crawl), 'state')
if state ~= 'running' and state ~= 'paused' then return -1 end
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', crawl_key(crawl), 'failed', -1) -- what its burial has counted, or is about to
redis.call('HINCRBY', crawl_key(crawl), 'unfinished', 2)
enqueue(crawl, ARGV[3], tonumber(ARGV[4]), ARGV[5])
return 1
