-- A page was read: add its links to the frontier, and count the reading as done.
-- (with take.lua, clock.lua, keys.lua, envelope.lua, seen.lua, queues.lua, same.lua, admit.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl
-- ARGV[5]  which places the scope had by which the links were judged (see places.lua)
-- ARGV[6]  1: the page counts as read already
-- ARGV[7]  the page's host   ARGV[8]  the beginning of its body's digest, or ''
-- ARGV[9..] six for each link, see admit.lua
-- returns  number of links that were new, -1 if somebody else did this before, or -2 if the scope is another one by now:
--          then nothing has happened
local crawl, time = ARGV[4], ARGV[3]
local known = redis.call('HMGET', crawl_key(crawl), 'state', 'places', 'same_body')
local state, most = known[1], int(known[3])
if state and (known[2] or '') ~= ARGV[5] then return -2 end
if not take(KEYS[2], ARGV[1], ARGV[2]) then return -1 end
if state ~= 'running' and state ~= 'paused' then return 0 end
local same = most > 0 and copies(crawl, ARGV[7], ARGV[8]) or 1
local new = admit(crawl, 9, #ARGV, 'scheduler.discover', time, same > 1, same > most and most > 0 and 'same_body' or '')
if same > most and most > 0 then leave_copies_out(crawl, ARGV[7], 'scheduler.discover', time) end
if ARGV[6] ~= '1' then redis.call('HINCRBY', crawl_key(crawl), 'unfinished', -1) end
finish(crawl, 'scheduler.discover', time)
return new
