-- Pause, resume or cancel a crawl, or refuse a command.
-- (with take.lua, clock.lua, keys.lua, envelope.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- KEYS[3]  list for the answer
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)
-- ARGV[4]  crawl   ARGV[5]  the event's last word: paused | resumed | cancelled; or refused
-- ARGV[6]  why it is refused   ARGV[7]  the version that is expected, or ''
-- returns  1; 0 if somebody else did this before; -2 if the frontier is still rebuilt: then nothing has happened
if not is_restored() then return -2 end
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
local crawl, verb = ARGV[4], ARGV[5]
local key = crawl_key(crawl)
local state = redis.call('HGET', key, 'state')

if verb == 'refused' then
  answer(KEYS[3], crawl, ARGV[6])
  return 1
end
local from = {paused = {running = true}, resumed = {paused = true}, cancelled = {running = true, paused = true}}
if not state or not from[verb][state] then
  answer(KEYS[3], crawl, state and ('the crawl is ' .. state .. ' and cannot be ' .. verb) or 'there is no such unfinished crawl')
  return 1
end
if why_not(crawl, ARGV[7]) then
  answer(KEYS[3], crawl, why_not(crawl, ARGV[7]))
  return 1
end
if verb == 'cancelled' then
  cease(crawl, verb)
else
  go_or_rest(crawl, verb == 'resumed' and 'running' or 'paused')
end
local version = next_version(crawl)
local id, data = life_id(crawl, version), '{"version":' .. version .. '}'
if verb == 'paused' then
  say('crawl.paused', 'scheduler.seed', ARGV[3], crawl, id, data)
elseif verb == 'resumed' then
  say('crawl.resumed', 'scheduler.seed', ARGV[3], crawl, id, data)
else
  say('crawl.cancelled', 'scheduler.seed', ARGV[3], crawl, id, data)
end
answer(KEYS[3], crawl)
return 1
