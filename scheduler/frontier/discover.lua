-- A page was read: add its links to the frontier, and count the reading as done.
-- (with take.lua, keys.lua, envelope.lua, seen.lua, queues.lua, admit.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl
-- ARGV[5..] six for each link, see admit.lua
-- returns  number of links that were new, or -1 if somebody else did this before
if not take(KEYS[2], ARGV[1], ARGV[2]) then return -1 end
local crawl, time = ARGV[4], ARGV[3]
local state = redis.call('HGET', crawl_key(crawl), 'state')
if state ~= 'running' and state ~= 'paused' then return 0 end
local new = admit(crawl, 5, #ARGV, 'scheduler.discover', time)
redis.call('HINCRBY', crawl_key(crawl), 'unfinished', -1)
finish(crawl, 'scheduler.discover', time)
return new
