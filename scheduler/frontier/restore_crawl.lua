-- A crawl that was lost: its specification, the places of some of its seeds, and crawl-delays of hosts. Or one of whose
-- life more is recorded than is known here, because the server has lost its last seconds:
--   it goes on, and is running or paused as it is recorded; its seeds and what was found come with the next parts
--   or it was cancelled: so it is here
--   or it has ended here, under a version that is another event's by now: its end is said again, under a free one
-- (with take.lua, clock.lua, keys.lua, waits.lua, envelope.lua, queues.lua, places.lua, restoring.lua)
--
-- KEYS[1]   root of all keys
-- KEYS[2]   stream of the delivery
-- ARGV[1]   group    ARGV[2]  entry id    ARGV[3]  time (RFC 3339)
-- ARGV[4]   crawl    ARGV[5]  epoch       ARGV[6]  run
-- ARGV[7]   name     ARGV[8]  spec (JSON) ARGV[9]  state: running | paused | cancelled        ARGV[10] version
-- ARGV[11]  delay ms ARGV[12] per host    ARGV[13] robots 0|1      ARGV[14] max pages   ARGV[15] max pages a host
-- ARGV[16]  places (JSON)                 ARGV[17..] host and its crawl-delay in ms, one after the other
-- returns   1 if it was worked in, else 0
local crawl, state, version = ARGV[4], ARGV[9], tonumber(ARGV[10])
local here = redis.call('HMGET', crawl_key(crawl), 'state', 'version', 'restoring')
if not counts(KEYS[2], ARGV[1], ARGV[2], crawl, ARGV[5], ARGV[6]) then return 0 end
if here[1] == 'finished' or here[1] == 'cancelled' then
  if state ~= 'cancelled' and int(here[2]) <= version then
    redis.call('HSET', crawl_key(crawl), 'version', version)
    say_end(crawl, 'scheduler.restore', ARGV[3])
  end
  return 0
end
if state == 'cancelled' then
  if here[1] then cease(crawl, state) end
  return 1
end
if not here[1] then
  redis.call('HSET', crawl_key(crawl), 'name', ARGV[7], 'spec', ARGV[8], 'version', version, 'delay', ARGV[11],
    'per_host', ARGV[12], 'robots', ARGV[13], 'max_pages', ARGV[14], 'max_host_pages', ARGV[15], 'hold', 0,
    'unfinished', 0, 'restoring', ARGV[6])
  set_terms(crawl, ARGV[8])
  redis.call('HSET', names_key, ARGV[7], crawl)
  go_or_rest(crawl, state)
elseif int(here[2]) < version then
  redis.call('HSET', crawl_key(crawl), 'version', version, 'hold', 0, 'restoring', ARGV[6])
  redis.call('HDEL', crawl_key(crawl), 'batch', 'parts') -- which ones came is not recorded: see expect_again
  go_or_rest(crawl, state)
elseif here[3] then -- another one has begun to tell of it, and died
  begun(crawl, ARGV[6])
end
widen(crawl, ARGV[16])
for i = 17, #ARGV, 2 do
  local before = int(redis.call('HGET', host_key(ARGV[i]), 'crawl_delay'))
  redis.call('HSET', host_key(ARGV[i]), 'crawl_delay', math.max(before, tonumber(ARGV[i + 1])))
  rest(ARGV[i])
end
return 1
