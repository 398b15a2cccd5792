-- Finish a delivery: acknowledge it and publish its consequences, or do nothing at all.
-- (with take.lua)
--
-- KEYS[1]   the delivery's stream
-- KEYS[2]   key of the value to keep (ignored when ARGV[3] is empty)
-- KEYS[3]   counter of body bytes (keys.body_bytes)
-- KEYS[4..] streams of the consequences
-- ARGV[1]   group
-- ARGV[2]   entry id
-- ARGV[3]   value to keep, or ''
-- ARGV[4]   its life in ms, or '0': it is a body, named in the first consequence and dropped with it
-- ARGV[5..] payloads of the consequences
-- returns   1 if this call finished the delivery, 0 if it was finished before
if not take(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
local value, life = ARGV[3], tonumber(ARGV[4])
for i = 4, #KEYS do
  if i == 4 and value ~= '' and life == 0 then
    redis.call('XADD', KEYS[i], '*', 'e', ARGV[i + 1], 'b', KEYS[2], 's', #value)
  else
    publish(KEYS[i], ARGV[i + 1])
  end
end
if value ~= '' and life == 0 and #KEYS > 3 then -- without a consequence, nobody would ever drop it
  redis.call('SET', KEYS[2], value)
  redis.call('INCRBY', KEYS[3], #value)
elseif value ~= '' and life > 0 then
  redis.call('SET', KEYS[2], value, 'PX', life)
end
return 1
