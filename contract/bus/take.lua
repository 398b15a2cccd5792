-- Library. The one guard that makes a hand-over happen once.
--
-- take(stream, group, id) -> true for the first caller ever, false for everybody after it
--   stream  the delivery's stream
--   group   its consumer group
--   id      its entry
-- publish(stream, payload) -> entry id
local function take(stream, group, id)
  return redis.call('XACK', stream, group, id) == 1
end

local function publish(stream, payload)
  return redis.call('XADD', stream, '*', 'e', payload)
end
