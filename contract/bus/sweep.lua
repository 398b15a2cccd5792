-- Remove consumers that are long gone and hold nothing. (XGROUP DELCONSUMER drops what a consumer holds, so looking
-- and removing must be one step.)
--
-- KEYS[1]  stream
-- ARGV[1]  group
-- ARGV[2]  idle time in ms
-- returns  number of consumers removed
local removed = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
  if about.pending == 0 and about.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    removed = removed + 1
  end
end
return removed
