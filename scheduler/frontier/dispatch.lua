-- Issue due URLs: the frontier → page.fetch. Crawls take turns, one URL each; within a crawl the host goes first that
-- may be asked for the longest time. A host at its limit is parked (absent from `due`) until `settle` wakes it.
-- (with keys.lua, envelope.lua, queues.lua)
--
-- KEYS[1]  root of all keys
-- ARGV[1]  time (RFC 3339)
-- ARGV[2]  most jobs in flight in the whole system
-- ARGV[3]  most pages waiting downstream
-- ARGV[4]  most bytes of bodies waiting downstream
-- returns  {issued, ms until something is due (-1: nothing is), 1 if held back by what is downstream}
local time, now = ARGV[1], now_ms()
local SOURCE = 'scheduler.dispatch'
local LOOKS = 50      -- hosts looked at for one URL, before the turn passes on
local RUN = 200       -- jobs issued in one run, so that the server is never busy for long
local CHUNK = 500     -- jobs left out in one run, when a crawl has reached its bound

for _, entry in ipairs(redis.call('ZRANGEBYSCORE', retries_key, '-inf', now, 'LIMIT', 0, RUN)) do
  local crawl, host, depth, member = string.match(entry, '^([^ ]*) ([^ ]*) (%d+) (.*)$')
  redis.call('ZREM', retries_key, entry)
  local state = redis.call('HGET', crawl_key(crawl), 'state')
  if state == 'running' or state == 'paused' then enqueue(crawl, host, tonumber(depth), member) end
end

local room = math.min(RUN, tonumber(ARGV[2]) - int(redis.call('GET', in_flight_key)))
local waiting = math.max(redis.call('XLEN', root .. 'page.fetched'), redis.call('XLEN', root .. 'page.parsed'))
local held = waiting > tonumber(ARGV[3]) or int(redis.call('GET', root .. 'body_bytes')) > tonumber(ARGV[4])
if held then room = 0 end

local function issue(crawl, c, host, h, id, data)
  say('page.fetch', SOURCE, time, crawl, id, data)
  redis.call('INCR', in_flight_key)
  redis.call('HSET', host_key(host), 'in_flight', int(h[1]) + 1,
    'next_at', whole(now + math.max(c.delay, int(h[5]))))
end

local function next_queued(crawl, c, host, h)
  local popped = redis.call('ZPOPMIN', queue_key(crawl, host))
  if not popped[1] then
    redis.call('SREM', host_crawls_key(host), crawl)
    redis.call('ZREM', due_key(crawl), host)
    return false
  end
  local bar = string.find(popped[1], '|', 1, true)
  issue(crawl, c, host, h, crawl .. '.' .. string.sub(popped[1], 1, bar - 1), string.sub(popped[1], bar + 1))
  redis.call('HINCRBY', crawl_key(crawl), 'queued', -1)
  redis.call('HINCRBY', crawl_key(crawl), 'in_flight', 1)
  c.in_flight = c.in_flight + 1
  if redis.call('EXISTS', queue_key(crawl, host)) == 0 then
    redis.call('SREM', host_crawls_key(host), crawl)
    redis.call('ZREM', due_key(crawl), host)
  elseif int(h[1]) + 1 >= c.per_host then
    redis.call('ZREM', due_key(crawl), host)
  else
    redis.call('ZADD', due_key(crawl), whole(now + math.max(c.delay, int(h[5]))), host)
  end
  return true
end

local function ask_robots(crawl, c, host, h)
  local attempt = int(h[8]) + 1
  issue(crawl, c, host, h, crawl .. '.robots.' .. host .. '.' .. whole(now), string.format(
    '{"url":%s,"host":%s,"robots":true,"attempt":%d}', cjson.encode(host .. '/robots.txt'), cjson.encode(host), attempt))
  redis.call('HSET', host_key(host), 'robots', 'pending', 'robots_tries', attempt)
  redis.call('ZREM', due_key(crawl), host)
  return true
end

-- Issue one URL of this crawl: true, or false and the ms when one may be due (-1: none, or not before a settle).
local function claim(crawl, c)
  for _ = 1, LOOKS do
    local first = redis.call('ZRANGE', due_key(crawl), 0, 0, 'WITHSCORES')
    if not first[1] then return false, -1 end
    if tonumber(first[2]) > now then return false, tonumber(first[2]) end
    local host = first[1]
    local h = redis.call('HMGET', host_key(host), 'in_flight', 'asked_at', 'next_at', 'block_until', 'crawl_delay',
      'robots', 'robots_until', 'robots_tries')
    local unknown = c.robots and not (h[6] == 'known' and int(h[7]) > now)
    local free_at = math.max(int(h[3]), int(h[4]), int(h[2]) + c.delay)
    if h[6] == 'pending' or int(h[1]) >= (unknown and 1 or c.per_host) then
      redis.call('ZREM', due_key(crawl), host)
    elseif free_at > now then
      redis.call('ZADD', due_key(crawl), whole(free_at), host)
    elseif unknown then
      return ask_robots(crawl, c, host, h)
    elseif next_queued(crawl, c, host, h) then
      return true
    end
  end
  return false, now
end

-- The bound on pages is reached: what is still queued is left out, a chunk at a time.
local function drain(crawl)
  local left = CHUNK
  for _, host in ipairs(redis.call('HKEYS', hosts_key(crawl))) do
    while left > 0 do
      local popped = redis.call('ZPOPMIN', queue_key(crawl, host), math.min(left, 100))
      if not popped[1] then
        redis.call('SREM', host_crawls_key(host), crawl)
        redis.call('ZREM', due_key(crawl), host)
        redis.call('HDEL', hosts_key(crawl), host)
        break
      end
      for i = 1, #popped, 2 do
        leave_out(crawl, popped[i], 'max_pages', SOURCE, time)
        left = left - 1
      end
      redis.call('HINCRBY', crawl_key(crawl), 'queued', -#popped / 2)
    end
  end
  finish(crawl, SOURCE, time)
end

local crawls, info = redis.call('ZRANGE', turns_key, 0, -1), {}
for _, crawl in ipairs(crawls) do
  local f = redis.call('HMGET', crawl_key(crawl), 'delay', 'per_host', 'robots', 'max_pages', 'pages', 'in_flight', 'queued')
  local c = {delay = int(f[1]), per_host = int(f[2]), robots = f[3] == '1', most = int(f[4]), pages = int(f[5]),
    in_flight = int(f[6]), served = 0}
  if c.most > 0 and c.pages >= c.most and int(f[7]) > 0 then drain(crawl) end
  info[crawl] = c
end

local issued, soonest, going = 0, -1, crawls
while room > 0 and #going > 0 do
  local still = {}
  for _, crawl in ipairs(going) do
    local c = info[crawl]
    if room > 0 and (c.most == 0 or c.pages + c.in_flight < c.most) then
      local done, at = claim(crawl, c)
      if done then
        issued, room, c.served = issued + 1, room - 1, c.served + 1
        still[#still + 1] = crawl
      elseif at >= 0 and (soonest < 0 or at < soonest) then
        soonest = at
      end
    end
  end
  going = still
end
for _, crawl in ipairs(crawls) do
  if info[crawl].served > 0 and #crawls > 1 then
    redis.call('ZADD', turns_key, redis.call('INCR', root .. 'turn'), crawl)
  end
end
return {issued, soonest < 0 and -1 or math.max(0, soonest - now), held and 1 or 0}
