-- A client has connected. If this server is another one than before, it may lack what the one before did last: it was
-- started again, or was a replica. Whoever keeps a distance to hosts, or counts what is under way, has to go by that.
-- (with clock.lua)
--
-- KEYS[1]  clock   ARGV[1]  1: note it also where nothing was before; who only connects leaves no trace there
-- returns  1 if the server is another one, and nobody has said so before
if ARGV[1] ~= '1' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local known = redis.call('HGET', KEYS[1], 'server')
if not id or known == id then return 0 end
local now = clock(KEYS[1])
redis.call('HSET', KEYS[1], 'server', id)
if not known then return 0 end -- nothing was here before
clock_read.anew = now
clock_write(KEYS[1])
return 1
