-- A job has its outcome: free the host's slot, spare the host as it deserves, plan the retry, end the crawl.
-- (with take.lua, clock.lua, keys.lua, waits.lua, pace.lua, limits.lua, envelope.lua, queues.lua)
--
-- KEYS[1]   root of all keys
-- KEYS[2]   stream of the delivery
-- ARGV[1]   group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)
-- ARGV[4]   crawl   ARGV[5]  host
-- ARGV[6]   kind: page (2xx) | moved (3xx) | failed | excluded | retry | robots
-- ARGV[7]   1 if a request reached the host
-- ARGV[8]   ms since that request was sent
-- ARGV[9]   1 if the host is in trouble, 2 if it refuses to be asked so often
-- ARGV[10]  ms for which the host wants to be left alone
-- ARGV[11]  ms until the retry             ARGV[12]  its depth   ARGV[13]  its job
--           kind robots: the page's job that asked, which is queued again as it was, or ''
-- For the kind robots:
-- ARGV[14]  crawl-delay ms                 ARGV[15]  ms for which the robots.txt is good; 0: it could not be had
-- ARGV[16]  ms after which to ask again; 0: nobody was asked at all
-- ARGV[17]  1 if the workers hold an older copy, to be gone by meanwhile            ARGV[18]  why it could not be had
-- ARGV[19]  1 if the host has answered   ARGV[20]  why it is asked too often, by its own word, or ''
-- ARGV[21]  how often this URL was refused before, where ARGV[9] is 2
-- returns   1, or 0 if somebody else did this before
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
local crawl, host, kind, now = ARGV[4], ARGV[5], ARGV[6], now_ms()
local FIRST_PAUSE, LONGEST_PAUSE = 1000, 60000 -- after trouble; doubles with each error in a row
local SLOW, RISE = 1000, 4                     -- an answer slower than both backs off
local hk, ck = host_key(host), crawl_key(crawl)
local asked, trouble, refusal, good = ARGV[7] == '1', ARGV[9] == '1', ARGV[9] == '2', tonumber(ARGV[15])
local c = redis.call('HMGET', ck, 'state', 'delay', 'max_crawl_delay', 'per_host')

-- The distance to the next request, from when this one was sent.
local f = redis.call('HMGET', hk, 'in_flight', 'asked_at', 'next_at', 'errors', 'latency', 'crawl_delay', 'block_until',
  'pace', 'learnt', 'trouble_at')
local in_flight, asked_at, next_at, errors, latency = int(f[1]), int(f[2]), int(f[3]), int(f[4]), int(f[5])
local crawl_delay, block = int(f[6]), int(f[7])
if kind == 'robots' and good > 0 then crawl_delay = tonumber(ARGV[14]) end
local wanted = delay_of(int(c[2]), crawl_delay, int(c[3] or '300000'))
local gap, elapsed = math.max(wanted, int(f[8])), tonumber(ARGV[8])
if asked then
  asked_at = math.max(asked_at, now - elapsed)
  next_at = math.max(next_at, asked_at + gap)
elseif in_flight <= 1 then
  next_at = asked_at + gap -- nobody was asked, so nobody needs a rest
end

-- The pause on top of that, if it is in trouble, slow, or has asked for one.
if refusal then
  local lasts = math.max(wanted, math.floor(latency / math.max(1, in_flight)))
  local most = math.max(1, int(c[4]))
  local pause = learn_refusal(host, f[9], now, now - elapsed, block, lasts, most, tonumber(ARGV[21]), ARGV[20])
  if pause then block, errors = math.max(block, now + pause), errors + 1 end
elseif trouble then
  -- What was sent before the last error was known is no further one: sixteen that wait for a host hear of it together.
  if errors == 0 or (now >= block and now - elapsed >= int(f[10])) then
    errors = errors + 1
    block = math.max(block, now + math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ math.min(errors - 1, 10)))
    redis.call('HSET', hk, 'trouble_at', whole(now))
  end
elseif asked then
  errors = 0
  local slower = elapsed > SLOW and latency > 0 and elapsed > RISE * latency
  if slower then block = math.max(block, now + elapsed) end
  if f[9] or slower then learn_answer(host, f[9], now, now - elapsed, slower, wanted) end
  latency = latency == 0 and elapsed or math.floor(latency * 0.9 + elapsed * 0.1)
end
if ARGV[10] ~= '0' then block = math.max(block, now + tonumber(ARGV[10])) end

redis.call('HSET', hk, 'in_flight', math.max(0, in_flight - 1), 'asked_at', whole(asked_at), 'next_at', whole(next_at),
  'errors', errors, 'latency', latency, 'block_until', whole(block), 'crawl_delay', crawl_delay)
if ARGV[19] == '1' then redis.call('HSET', hk, 'answered', 1) end
if redis.call('DECR', in_flight_key) < 0 then redis.call('SET', in_flight_key, 0) end
if kind == 'robots' then
  local again = tonumber(ARGV[16])
  if good > 0 then
    redis.call('HSET', hk, 'robots', 'known', 'robots_until', whole(now + good), 'robots_tries', 0)
    wait_no_more(host)
  elseif again > 0 and ARGV[17] == '1' then
    redis.call('HSET', hk, 'robots', 'known', 'robots_until', whole(now + again))
    wait_no_more(host)
  else
    redis.call('HSET', hk, 'robots', '')
    if again > 0 then wait_for(host, 'robots', ARGV[18], now, now + again) end
  end
end
local limited = ARGV[20] ~= ''
if limited then limit(host, ARGV[20], math.max(next_at, block)) end
wake(host, math.max(next_at, block))
rest(host)

if (kind == 'robots' and ARGV[13] == '') or not c[1] then return 1 end
redis.call('HINCRBY', ck, 'in_flight', -1)
if c[1] ~= 'running' and c[1] ~= 'paused' then return 1 end
if kind == 'robots' then
  enqueue(crawl, host, tonumber(ARGV[12]), ARGV[13])
  return 1
end
if kind == 'retry' then
  if limited then show_waiting(crawl, host, math.max(next_at, block)) end
  redis.call('HINCRBY', ck, 'retried', 1)
  redis.call('ZADD', retries_key(crawl), whole(now + tonumber(ARGV[11])), host .. ' ' .. ARGV[12] .. ' ' .. ARGV[13])
  return 1
end
if kind == 'page' then redis.call('HINCRBY', ck, 'pages', 1) end
local fetched = kind == 'page' or kind == 'moved'
redis.call('HINCRBY', ck, fetched and 'fetched' or kind, 1)
redis.call('HINCRBY', ck, 'unfinished', fetched and -1 or -2)
finish(crawl, 'scheduler.settle', ARGV[3])
return 1
