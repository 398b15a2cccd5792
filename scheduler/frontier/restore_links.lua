-- Links and seeds of a crawl that was lost, once all its outcomes are known.
-- (with take.lua, clock.lua, keys.lua, envelope.lua, seen.lua, queues.lua, admit.lua, restoring.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl   ARGV[5]  epoch   ARGV[6]  run
-- ARGV[7..] six for each link, see admit.lua
-- returns  number of links that were new
if not applies(KEYS[2], ARGV[1], ARGV[2], ARGV[4], ARGV[5], ARGV[6]) then return 0 end
local hosts = {}
for i = 7, #ARGV, 6 do
  if ARGV[i + 5] == '' then hosts[ARGV[i + 2]] = true end
end
local new = admit(ARGV[4], 7, #ARGV, 'scheduler.restore', ARGV[3])
spare(ARGV[4], hosts)
return new
