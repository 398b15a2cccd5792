-- Give a delivery up: keep it as a dead letter, with a copy of its body, and publish what follows from that.
-- (with take.lua)
--
-- KEYS[1]   the delivery's stream
-- KEYS[2]   stream of the stage's dead letters
-- KEYS[3]   key for the copy of the body, if there is one
-- KEYS[4..] streams of the consequences
-- ARGV[1]   group
-- ARGV[2]   entry id
-- ARGV[3]   raw bytes of the message
-- ARGV[4]   name of the stream
-- ARGV[5]   reason
-- ARGV[6]   deliveries so far
-- ARGV[7..] payloads of the consequences
-- returns   1 if this call buried it, 0 if it was finished before
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not take(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
local letter = {'e', ARGV[3], 'stream', ARGV[4], 'id', ARGV[2], 'reason', ARGV[5], 'count', ARGV[6], 'said', #KEYS - 3}
local function add(name, value)
  letter[#letter + 1] = name
  letter[#letter + 1] = value
end
local fields = entry and entry[2] or {}
for i = 1, #fields, 2 do
  if fields[i] == 'a' then
    add('a', fields[i + 1])
  elseif fields[i] == 'b' and redis.call('COPY', fields[i + 1], KEYS[3], 'REPLACE') == 1 then
    add('b', KEYS[3])
    add('s', redis.call('STRLEN', KEYS[3]))
  end
end
redis.call('XADD', KEYS[2], '*', unpack(letter))
for i = 4, #KEYS do
  publish(KEYS[i], ARGV[i + 3])
end
return 1
