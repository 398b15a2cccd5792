-- A message that its stage cannot work in, however often it tries, becomes a dead letter; and what its URL and its host
-- wait for happens all the same, in the same step: the crawl ends, and the slot is free.
-- (with take.lua, clock.lua, keys.lua, envelope.lua, queues.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- KEYS[3]  stream of the stage's dead letters
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl   ARGV[5]  host
-- ARGV[6]  what is given up: read (a page's links) | page | moved | failed | excluded | robots (see settle.lua) | ''
-- ARGV[7]  raw bytes of the message   ARGV[8]  name of the stream   ARGV[9]  reason   ARGV[10]  deliveries so far
-- returns  1, or 0 if somebody else did this before
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
redis.call('XADD', KEYS[3], '*', 'e', ARGV[7], 'stream', ARGV[8], 'id', ARGV[2], 'reason', ARGV[9], 'count', ARGV[10],
  'said', ARGV[6] == '' and 0 or 1)
local crawl, host, kind = ARGV[4], ARGV[5], ARGV[6]
local ck, hk = crawl_key(crawl), host_key(host)
local state = redis.call('HGET', ck, 'state')

local function free_slot()
  local h = redis.call('HMGET', hk, 'in_flight', 'next_at', 'block_until')
  redis.call('HSET', hk, 'in_flight', math.max(0, int(h[1]) - 1))
  if kind == 'robots' then redis.call('HSET', hk, 'robots', '') end
  if redis.call('DECR', in_flight_key) < 0 then redis.call('SET', in_flight_key, 0) end
  wake(host, math.max(int(h[2]), int(h[3])))
  rest(host)
end

if kind ~= '' and kind ~= 'read' then
  free_slot()
  if kind ~= 'robots' and state then redis.call('HINCRBY', ck, 'in_flight', -1) end
end
if kind == '' or kind == 'robots' or (state ~= 'running' and state ~= 'paused') then return 1 end
local fetched = kind == 'page' or kind == 'moved'
if kind == 'page' then redis.call('HINCRBY', ck, 'pages', 1) end
if kind ~= 'read' then redis.call('HINCRBY', ck, fetched and 'fetched' or kind, 1) end
redis.call('HINCRBY', ck, 'unfinished', (fetched or kind == 'read') and -1 or -2)
finish(crawl, ARGV[1], ARGV[3])
return 1
