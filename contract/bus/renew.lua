-- Renew the leases of what a consumer still holds, or end them at once. What another consumer has taken over by now
-- is left alone: a zombie that wakes up must not steal it back.
--
-- KEYS[1]  stream
-- ARGV[1]  group
-- ARGV[2]  consumer
-- ARGV[3]  idle time to set, in ms: 0 renews a lease, more than a lease ends it
-- ARGV[4]  entry id
-- ARGV[5]  deliveries to write down for it, '' to leave their number: one less where it is given back untouched
-- ARGV[6..] the same two of the others
-- returns  ids that this consumer holds no longer
local lost = {}
for i = 4, #ARGV, 2 do
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
  if not held then
    lost[#lost + 1] = ARGV[i]
  else
    local count = ARGV[i + 1] == '' and held[4] or ARGV[i + 1]
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3], 'RETRYCOUNT', count, 'JUSTID')
  end
end
return lost
