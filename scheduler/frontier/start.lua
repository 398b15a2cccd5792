-- Begin a crawl with its seeds, or go on with the unfinished one of the same name.
-- (with take.lua, clock.lua, keys.lua, waits.lua, envelope.lua, seen.lua, queues.lua, admit.lua, places.lua, parts.lua)
--
-- KEYS[1]   root of all keys
-- KEYS[2]   stream of the delivery
-- KEYS[3]   list for the answer
-- ARGV[1]   group    ARGV[2]  entry id    ARGV[3]  time (RFC 3339)
-- ARGV[4]   crawl id ARGV[5]  name        ARGV[6]  spec (JSON)    ARGV[7]  seeds (JSON)
-- ARGV[8]   delay ms ARGV[9]  per host    ARGV[10] robots 0|1     ARGV[11] max pages   ARGV[12] max pages a host
-- ARGV[13]  parts of more seeds that follow   ARGV[14] fresh 0|1: do not go on with another one
-- ARGV[15]  places that these seeds bring into scope (JSON)
-- ARGV[16..] six for each seed, see admit.lua
-- returns   1; 0 if somebody else did this before; -2 if the frontier is still rebuilt: then nothing has happened
if not is_restored() then return -2 end
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
local crawl, name, time = ARGV[4], ARGV[5], ARGV[3]

if redis.call('EXISTS', crawl_key(crawl)) == 1 then -- the command was sent twice
  answer(KEYS[3], crawl, expect_again(crawl, ARGV[13]), true)
  return 1
end

local known = redis.call('HGET', names_key, name)
local state = known and redis.call('HGET', crawl_key(known), 'state')
if state == 'running' or state == 'paused' then
  if ARGV[14] == '1' then
    answer(KEYS[3], known, 'the name is in use by an unfinished crawl: ' .. known .. ' is ' .. state)
    return 1
  end
  if state == 'paused' then
    redis.call('HSET', crawl_key(known), 'state', 'running')
    redis.call('ZADD', turns_key, 0, known)
    local version = next_version(known)
    say('crawl.resumed', 'scheduler.seed', time, known, life_id(known, version), '{"version":' .. version .. '}')
  end
  -- Who announced more seeds before may have died before sending them; this command speaks for all.
  expect(known, crawl, ARGV[13])
  answer(KEYS[3], known, nil, true)
  finish(known, 'scheduler.seed', time)
  return 1
end

redis.call('HSET', names_key, name, crawl)
redis.call('HSET', crawl_key(crawl), 'state', 'running', 'name', name, 'spec', ARGV[6],
  'delay', ARGV[8], 'per_host', ARGV[9], 'robots', ARGV[10], 'max_pages', ARGV[11], 'max_host_pages', ARGV[12],
  'unfinished', 0)
expect(crawl, crawl, ARGV[13])
set_terms(crawl, ARGV[6])
redis.call('ZADD', turns_key, 0, crawl)
local version = next_version(crawl)
say('crawl.started', 'scheduler.seed', time, crawl, life_id(crawl, version),
  '{"version":' .. version .. ',"spec":' .. ARGV[6] .. ',"seeds":' .. ARGV[7] .. '}')
widen(crawl, ARGV[15])
admit(crawl, 16, #ARGV, 'scheduler.seed', time)
answer(KEYS[3], crawl)
finish(crawl, 'scheduler.seed', time)
return 1
