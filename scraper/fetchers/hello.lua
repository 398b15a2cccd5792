-- A fetcher says that it lives; and those that have said nothing for too long are forgotten.
-- (with clock.lua)
--
-- KEYS[1]  fetchers    KEYS[2]  clock    KEYS[3]  by how much their clocks are ahead of the server's
-- ARGV[1]  the fetcher, and its capacity
-- ARGV[2]  for how long it counts as alive after this, in ms
-- ARGV[3]  Unix ms by its own clock
-- returns  number of fetchers that were forgotten
local now = clock(KEYS[2])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
for _, fetcher in ipairs(gone) do
  redis.call('ZREM', KEYS[1], fetcher)
  redis.call('HDEL', KEYS[3], fetcher)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', tonumber(ARGV[3]) - clock_read.at))
return #gone
