-- Give a delivery up: keep it as a dead letter, publish what follows from that.
-- (with take.lua)
--
-- KEYS[1]   the delivery's stream
-- KEYS[2]   stream of the stage's dead letters
-- KEYS[3..] streams of the consequences
-- ARGV[1]   group
-- ARGV[2]   entry id
-- ARGV[3]   raw bytes of the message
-- ARGV[4]   name of the stream
-- ARGV[5]   reason
-- ARGV[6]   deliveries so far
-- ARGV[7..] payloads of the consequences
-- returns   1 if this call buried it, 0 if it was finished before
if not take(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
redis.call('XADD', KEYS[2], '*', 'e', ARGV[3], 'stream', ARGV[4], 'id', ARGV[2], 'reason', ARGV[5], 'count', ARGV[6])
for i = 3, #KEYS do
  publish(KEYS[i], ARGV[i + 4])
end
return 1
