-- A fetcher tells of requests that were begun in a world before and are not over.
-- (with clock.lua)
--
-- KEYS[1]  requests of a world before   KEYS[2]  clock
-- ARGV[1]  ms within which they have ended for sure
-- ARGV[2..] the requests
-- returns  1
local until_then = string.format('%.0f', clock(KEYS[2]) + tonumber(ARGV[1]))
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], until_then, ARGV[i]) end
return 1
