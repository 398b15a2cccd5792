-- Remove consumers that are long gone and hold nothing. (XGROUP DELCONSUMER drops what a consumer holds, so looking
-- and removing must be one step.) Who says that it lives stays, however idle it is: before 7.2 Redis takes one that
-- waits at an empty stream for idle.
-- (with clock.lua)
--
-- KEYS[1]  stream    KEYS[2]  clock    KEYS[3]  who lives
-- ARGV[1]  group
-- ARGV[2]  idle time in ms
-- returns  number of consumers removed
local removed, lives = 0, {}
for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], string.format('%.0f', clock(KEYS[2])), '+inf')) do
  lives[one] = true
end
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
  if about.pending == 0 and about.idle > tonumber(ARGV[2]) and not lives[ARGV[1] .. ' ' .. about.name] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    removed = removed + 1
  end
end
return removed
