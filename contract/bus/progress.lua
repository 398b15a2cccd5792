-- Publish one part of a crawl's progress: retained for who comes late, and broadcast, in one step.
--
-- KEYS[1]  progress hash; also the channel's name
-- ARGV[1]  part
-- ARGV[2]  JSON
-- ARGV[3]  life of the hash in seconds
-- returns  number of listeners
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('PUBLISH', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
