-- The frontier holds all that is recorded, if this is still the world for which it was rebuilt.
--
-- KEYS[1]  epoch   KEYS[2]  restored
-- ARGV[1]  the epoch for which it was rebuilt
-- returns  1, or 0 if the world is another one by now: then nothing has happened
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
