-- Somebody says that it lives; and those that have said nothing for too long are forgotten.
-- (with clock.lua)
--
-- KEYS[1]  who lives    KEYS[2]  clock    KEYS[3]  by how much their clocks are ahead of the server's; may be left out
-- ARGV[1]  who it is
-- ARGV[2]  for how long it counts as alive after this, in ms
-- ARGV[3]  Unix ms by its own clock, where there is a KEYS[3]
-- returns  number of those that were forgotten
local now = clock(KEYS[2])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
for _, one in ipairs(gone) do
  redis.call('ZREM', KEYS[1], one)
  if KEYS[3] then redis.call('HDEL', KEYS[3], one) end
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
if KEYS[3] then redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', tonumber(ARGV[3]) - clock_read.at)) end
return #gone
