-- Add seeds to a crawl.
-- (with take.lua, clock.lua, keys.lua, envelope.lua, seen.lua, queues.lua, admit.lua, places.lua, parts.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- KEYS[3]  list for the answer
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)
-- ARGV[4]  crawl   ARGV[5]  the version that is expected, or ''   ARGV[6]  seeds (JSON)
-- ARGV[7]  1: no more seeds follow        ARGV[8]  places that these seeds bring into scope (JSON)
-- ARGV[9]  batch of which this is a part, or ''   ARGV[10] its number
-- ARGV[11..] six for each seed, see admit.lua
-- returns  1; 0 if somebody else did this before; -2 if the frontier is still rebuilt: then nothing has happened
if not is_restored() then return -2 end
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
local crawl, time = ARGV[4], ARGV[3]
local state = redis.call('HGET', crawl_key(crawl), 'state')
if state ~= 'running' and state ~= 'paused' then
  answer(KEYS[3], crawl, 'the crawl is ' .. (state or 'gone') .. ' and takes no more seeds')
  return 1
end
if why_not(crawl, ARGV[5]) then
  answer(KEYS[3], crawl, why_not(crawl, ARGV[5]))
  return 1
end
local version = next_version(crawl)
say('seeds.added', 'scheduler.seed', time, crawl, life_id(crawl, version),
  '{"version":' .. version .. ',"seeds":' .. ARGV[6] .. '}')
widen(crawl, ARGV[8])
admit(crawl, 11, #ARGV, 'scheduler.seed', time)
part_came(crawl, ARGV[9], ARGV[10], ARGV[7])
answer(KEYS[3], crawl)
finish(crawl, 'scheduler.seed', time)
return 1
