-- A crawl that was lost: its specification, the places of some of its seeds, and crawl-delays of hosts.
-- (with take.lua, keys.lua, envelope.lua, queues.lua, places.lua, restoring.lua)
--
-- KEYS[1]   root of all keys
-- KEYS[2]   stream of the delivery
-- ARGV[1]   group    ARGV[2]  entry id    ARGV[3]  time (RFC 3339)
-- ARGV[4]   crawl    ARGV[5]  epoch       ARGV[6]  run
-- ARGV[7]   name     ARGV[8]  spec (JSON) ARGV[9]  state           ARGV[10] version
-- ARGV[11]  delay ms ARGV[12] per host    ARGV[13] robots 0|1      ARGV[14] max pages   ARGV[15] max pages a host
-- ARGV[16]  places (JSON)                 ARGV[17..] host and its crawl-delay in ms, one after the other
-- returns   1 if it was worked in, else 0
local crawl = ARGV[4]
if not applies(KEYS[2], ARGV[1], ARGV[2], crawl, ARGV[5], ARGV[6]) then return 0 end
if redis.call('HSETNX', crawl_key(crawl), 'state', ARGV[9]) == 1 then
  redis.call('HSET', crawl_key(crawl), 'name', ARGV[7], 'spec', ARGV[8], 'version', ARGV[10], 'delay', ARGV[11],
    'per_host', ARGV[12], 'robots', ARGV[13], 'max_pages', ARGV[14], 'max_host_pages', ARGV[15], 'hold', 0,
    'unfinished', 0, 'restoring', 1)
  redis.call('HSET', names_key, ARGV[7], crawl)
  if ARGV[9] == 'running' then redis.call('ZADD', turns_key, 0, crawl) end
end
widen(crawl, ARGV[16])
for i = 17, #ARGV, 2 do
  local before = int(redis.call('HGET', host_key(ARGV[i]), 'crawl_delay'))
  redis.call('HSET', host_key(ARGV[i]), 'crawl_delay', math.max(before, tonumber(ARGV[i + 1])))
  rest(ARGV[i])
end
return 1
