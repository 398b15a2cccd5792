-- Throw a dead letter away, with the copy of its body.
--
-- KEYS[1]  stream of the stage's dead letters
-- ARGV[1]  the dead letter's id
-- returns  1, or 0 if there is no such dead letter any more
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return 0 end
for i = 1, #letter[2], 2 do
  if letter[2][i] == 'b' then redis.call('UNLINK', letter[2][i + 1]) end
end
return redis.call('XDEL', KEYS[1], ARGV[1])
