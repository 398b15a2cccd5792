-- Nobody holds a slot of a host any more, or wants it: the world that did is given up. When it was asked is remembered.
-- (with clock.lua)
--
-- KEYS[1]  host (hash, see scheduler/frontier/keys.lua)   KEYS[2]  the crawls that want it
-- KEYS[3]  hosts that nobody wants                        KEYS[4]  clock
-- ARGV[1]  the host   ARGV[2]  ms for which it is remembered
-- returns  1, or 0 if nothing was known of it
redis.call('UNLINK', KEYS[2])
local known = redis.call('HMGET', KEYS[1], 'in_flight', 'robots')
if not known[1] then return 0 end
redis.call('HSET', KEYS[1], 'in_flight', 0)
if known[2] == 'pending' then redis.call('HSET', KEYS[1], 'robots', '') end -- nobody asks for it any more
redis.call('ZADD', KEYS[3], 'NX', string.format('%.0f', clock(KEYS[4]) + tonumber(ARGV[2])), ARGV[1])
return 1
