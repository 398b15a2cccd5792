-- A job has its outcome: free the host's slot, spare the host as it deserves, plan the retry, end the crawl.
-- (with take.lua, keys.lua, envelope.lua, queues.lua)
--
-- KEYS[1]   root of all keys
-- KEYS[2]   stream of the delivery
-- ARGV[1]   group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)
-- ARGV[4]   crawl   ARGV[5]  host
-- ARGV[6]   kind: page (2xx) | moved (3xx) | failed | excluded | retry | robots
-- ARGV[7]   1 if a request reached the host
-- ARGV[8]   ms since that request was sent
-- ARGV[9]   1 if the host is in trouble
-- ARGV[10]  ms for which the host wants to be left alone
-- ARGV[11]  ms until the retry             ARGV[12]  its depth   ARGV[13]  its job
-- ARGV[14]  crawl-delay ms (kind robots)   ARGV[15]  ms for which the robots.txt is good; 0: ask again
-- returns   1, or 0 if somebody else did this before
if not take(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
local crawl, host, kind, now = ARGV[4], ARGV[5], ARGV[6], now_ms()
local FIRST_PAUSE, LONGEST_PAUSE = 1000, 60000 -- as in politeness.py
local SLOW, RISE = 1000, 4                     -- an answer slower than both backs off
local HOST_LIFE = 3600000                      -- a host that nobody wants is remembered for an hour

local hk, ck = host_key(host), crawl_key(crawl)
local h = redis.call('HMGET', hk, 'in_flight', 'asked_at', 'next_at', 'errors', 'latency', 'crawl_delay', 'block_until')
local c = redis.call('HMGET', ck, 'state', 'delay')
local delay = int(h[6])
if kind == 'robots' and tonumber(ARGV[15]) > 0 then delay = int(ARGV[14]) end
local gap = math.max(int(c[2]), delay)
local asked_at, next_at, errors, latency = int(h[2]), int(h[3]), int(h[4]), int(h[5])
local block = math.max(int(h[7]), ARGV[10] ~= '0' and now + tonumber(ARGV[10]) or 0)

if ARGV[7] == '1' then
  local elapsed = tonumber(ARGV[8])
  asked_at = math.max(asked_at, now - elapsed)
  next_at = math.max(next_at, asked_at + gap)
  if ARGV[9] == '1' then
    errors = errors + 1
    next_at = math.max(next_at, now + math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ^ math.min(errors - 1, 10)))
  else
    errors = 0
    if elapsed > SLOW and latency > 0 and elapsed > RISE * latency then next_at = math.max(next_at, now + elapsed) end
    latency = latency == 0 and elapsed or math.floor(latency * 0.9 + elapsed * 0.1)
  end
elseif int(h[1]) <= 1 then
  next_at = asked_at + gap -- nobody was asked, so nobody needs a rest
end
redis.call('HSET', hk, 'in_flight', math.max(0, int(h[1]) - 1), 'asked_at', whole(asked_at),
  'next_at', whole(next_at), 'errors', errors, 'latency', latency, 'block_until', whole(block))
redis.call('DECR', in_flight_key)

if kind == 'robots' then
  local good = tonumber(ARGV[15])
  if good > 0 then
    redis.call('HSET', hk, 'robots', 'known', 'robots_until', whole(now + good), 'robots_tries', 0, 'crawl_delay', delay)
  else
    redis.call('HSET', hk, 'robots', '')
  end
end
if redis.call('EXISTS', host_crawls_key(host)) == 1 then
  wake(host, math.max(next_at, block))
else
  redis.call('PEXPIRE', hk, HOST_LIFE)
end

if kind == 'robots' or not c[1] then return 1 end
redis.call('HINCRBY', ck, 'in_flight', -1)
if c[1] ~= 'running' and c[1] ~= 'paused' then return 1 end
if kind == 'retry' then
  redis.call('HINCRBY', ck, 'retried', 1)
  redis.call('ZADD', retries_key, whole(now + tonumber(ARGV[11])), crawl .. ' ' .. host .. ' ' .. ARGV[12] .. ' ' .. ARGV[13])
  return 1
end
if kind == 'page' then redis.call('HINCRBY', ck, 'pages', 1) end
local fetched = kind == 'page' or kind == 'moved'
redis.call('HINCRBY', ck, fetched and 'fetched' or kind, 1)
redis.call('HINCRBY', ck, 'unfinished', fetched and -1 or -2)
finish(crawl, 'scheduler.settle', ARGV[3])
return 1
