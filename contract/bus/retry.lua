-- Give a dead letter to its stage once more, and to no other. Its body, if it was kept, goes with it, and is freed when
-- the janitor trims the stream.
--
-- KEYS[1]  stream of the stage's dead letters
-- KEYS[2]  stream of the stage's own
-- KEYS[3]  counter of body bytes
-- ARGV[1]  the dead letter's id
-- returns  1, or 0 if there is no such dead letter any more
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return 0 end
local f = {}
for i = 1, #letter[2], 2 do f[letter[2][i]] = letter[2][i + 1] end
local entry = {'e', f.e}
local mark = tonumber(f.said or '0') > 0 and ARGV[1] or f.a
if mark then
  entry[#entry + 1], entry[#entry + 2] = 'a', mark
end
if f.b then
  for _, word in ipairs({'b', f.b, 's', f.s}) do entry[#entry + 1] = word end
  redis.call('INCRBY', KEYS[3], f.s)
end
redis.call('XADD', KEYS[2], '*', unpack(entry))
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
