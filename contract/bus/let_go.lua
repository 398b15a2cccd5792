-- Make room for the next replay, unless another one has begun.
--
-- KEYS[1]  replaying
-- ARGV[1]  the run that has ended
-- returns  1, or 0 if another one is at it
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
