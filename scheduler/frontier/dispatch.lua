-- Issue due URLs: the frontier → page.fetch. Crawls take turns, one URL each; within a crawl the host goes first that
-- may be asked for the longest time. A host at its limit is parked (absent from `due`) until `settle` wakes it.
-- (with clock.lua, keys.lua, waits.lua, envelope.lua, queues.lua, census.lua)
--
-- KEYS[1]  root of all keys
-- ARGV[1]  time (RFC 3339)
-- ARGV[2]  requests that are taken to be possible at once while no fetcher has said hello
-- ARGV[3]  jobs in flight for each request that a live fetcher can have open
-- ARGV[4]  most pages waiting downstream
-- ARGV[5]  most bytes of bodies waiting downstream
-- ARGV[6]  what this scheduler was told of the time the last time, or ''   ARGV[7]  ms since, by its own clock
-- returns  {issued, ms until something is due (-1: nothing is), 1 if held back by what is downstream,
--           jobs in flight, crawls that are still to be forgotten, what to tell of the time}; nothing is issued while
--           the frontier is rebuilt
local time, now = ARGV[1], vouch(clock_key, ARGV[6], ARGV[7])
local SOURCE = 'scheduler.dispatch'
local LOOKS = 50      -- hosts looked at for one URL, before the turn passes on
local RUN = 200       -- jobs issued in one run, so that the server is never busy for long
local CHUNK = 500     -- jobs left out in one run, when a crawl has reached its bound or a host is given up
local OLD_LOOK = 100  -- ms between two looks at a host that has requests of a world before
local FIRST_CONTACT = 30000 -- a host that has never answered may not be there at all: it is waited for no longer
local HOSTS = 100     -- hosts forgotten in one run
local EXCLUDED = 8    -- events of URLs left out weigh as much as one page that waits

local function room_for_jobs()
  local capacity = 0
  for _, fetcher in ipairs(redis.call('ZRANGEBYSCORE', fetchers_key, whole(now), '+inf')) do
    capacity = capacity + int(string.match(fetcher, '|(%d+)$'))
  end
  local most = math.max(capacity, tonumber(ARGV[2])) * tonumber(ARGV[3])
  return math.min(RUN, most - int(redis.call('GET', in_flight_key)))
end

local function held_back()
  local waiting = redis.call('XLEN', stream_key('page.excluded')) / EXCLUDED
  for _, type in ipairs({'page.fetched', 'page.failed', 'page.parsed'}) do
    waiting = math.max(waiting, redis.call('XLEN', stream_key(type)))
  end
  return waiting > tonumber(ARGV[4]) or int(redis.call('GET', body_bytes_key)) > tonumber(ARGV[5])
end

local function requeue(crawl)
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', retries_key(crawl), '-inf', whole(now), 'LIMIT', 0, RUN)) do
    local host, depth, member = string.match(entry, '^([^ ]*) (%d+) (.*)$')
    redis.call('ZREM', retries_key(crawl), entry)
    enqueue(crawl, host, tonumber(depth), member)
  end
end

if not is_restored() then
  return {0, -1, 0, int(redis.call('GET', in_flight_key)), 0, told()}
end

forget_hosts(HOSTS)

local since, counting = anew(clock_key), census_left(now)
if counting > 0 then return {0, counting, 0, int(redis.call('GET', in_flight_key)), 0, told()} end
local old = old_requests(now)

local crawls, info, chunk = {}, {}, CHUNK
for _, crawl in ipairs(redis.call('ZRANGE', turns_key, 0, -1)) do
  requeue(crawl)
  local f = redis.call('HMGET', crawl_key(crawl),
    'delay', 'per_host', 'robots', 'max_pages', 'pages', 'in_flight', 'hold', 'max_crawl_delay', 'patience', 'begun',
    'give_up_host')
  if int(f[7]) == 0 then -- else its scope is not known yet
    crawls[#crawls + 1] = crawl
    info[crawl] = {delay = int(f[1]), per_host = int(f[2]), robots = f[3] == '1', most = int(f[4]), pages = int(f[5]),
      in_flight = int(f[6]), served = 0, longest = int(f[8] or '300000'), patience = int(f[9] or '14400000'),
      begun = int(f[10]), give_up_host = int(f[11] or '86400000')}
  end
end

-- The strictest limit and the longest delay of all running crawls that want a host hold for each of them, or the
-- eager one would keep the host too busy for the gentle one to get its turn.

local function terms(c, host, crawl_delay)
  local per_host, delay = c.per_host, delay_of(c.delay, crawl_delay, c.longest)
  if redis.call('SCARD', host_crawls_key(host)) > 1 then
    for _, name in ipairs(redis.call('SMEMBERS', host_crawls_key(host))) do
      local other = info[name]
      if other then
        per_host, delay = math.min(per_host, other.per_host), math.max(delay, delay_of(other.delay, crawl_delay, other.longest))
      end
    end
  end
  return per_host, delay
end

local function issue(crawl, host, h, id, data)
  if h.limited then limit_no_more(host) end
  say('page.fetch', SOURCE, time, crawl, id, data)
  redis.call('INCR', in_flight_key)
  redis.call('HSET', host_key(host), 'in_flight', h.in_flight + 1, 'next_at', whole(now + h.gap))
end

local function unqueue(crawl, host)
  redis.call('SREM', host_crawls_key(host), crawl)
  redis.call('ZREM', due_key(crawl), host)
  hide_waiting(crawl, host)
end

local function next_queued(crawl, c, host, h)
  local popped = redis.call('ZPOPMIN', queue_key(crawl, host))
  if not popped[1] then
    unqueue(crawl, host)
    rest(host)
    return false
  end
  local bar = string.find(popped[1], '|', 1, true)
  issue(crawl, host, h, crawl .. '.' .. string.sub(popped[1], 1, bar - 1), string.sub(popped[1], bar + 1))
  redis.call('HINCRBY', crawl_key(crawl), 'queued', -1)
  redis.call('HINCRBY', crawl_key(crawl), 'in_flight', 1)
  c.in_flight = c.in_flight + 1
  if redis.call('EXISTS', queue_key(crawl, host)) == 0 then
    unqueue(crawl, host)
  elseif h.in_flight + 1 >= h.limit then
    redis.call('ZREM', due_key(crawl), host)
  else
    redis.call('ZADD', due_key(crawl), whole(now + h.gap), host)
  end
  return true
end

local function ask_robots(crawl, host, h)
  issue(crawl, host, h, crawl .. '.robots.' .. host .. '.' .. whole(now), string.format(
    '{"url":%s,"host":%s,"robots":true,"attempt":%d}', cjson.encode(host .. '/robots.txt'), cjson.encode(host), h.tries + 1))
  redis.call('HSET', host_key(host), 'robots', 'pending', 'robots_tries', h.tries + 1)
  redis.call('ZREM', due_key(crawl), host)
  return true
end

-- The wait for a host's robots.txt, as far as this crawl's patience goes; it is asked once more at the very end of it.
local function wait(c, h, w)
  local patience = w.answered and c.patience or math.min(c.patience, FIRST_CONTACT)
  local since = math.max(w.since, c.begun)
  h.waits = true
  if w.tried - since >= patience then
    h.lost = string.format('robots.txt could not be had for %d s: %s', (w.tried - since) / 1000, w.why)
  end
  h.free_at = math.max(h.free_at, math.min(w.at, since + patience))
end

local function look_at(host, c)
  local f = redis.call('HMGET', host_key(host), 'in_flight', 'asked_at', 'next_at', 'block_until', 'crawl_delay',
    'robots', 'robots_until', 'robots_tries', 'waits_for', 'waits_since', 'waits_tried', 'waits_until', 'waits_why',
    'answered', 'limited', 'pace', 'most', 'refuses_since', 'refusal')
  local per_host, delay = terms(c, host, int(f[5]))
  local h = {in_flight = int(f[1]), limit = per_host, gap = math.max(delay, int(f[16])), tries = int(f[8])}
  h.limited = f[15]
  if int(f[17]) > 0 then h.limit = math.min(per_host, int(f[17])) end
  h.free_at = math.max(int(f[3]), int(f[4]), math.max(in_truth(int(f[2])), since) + h.gap)
  h.pending = f[6] == 'pending'
  h.unknown = c.robots and not (f[6] == 'known' and int(f[7]) > now)
  h.too_slow = c.robots and not h.unknown and int(f[5]) > c.longest
  if h.unknown and f[9] == 'robots' then
    wait(c, h, {since = int(f[10]), tried = int(f[11]), at = int(f[12]), why = f[13], answered = f[14] == '1'})
  end
  if f[18] and now - math.max(int(f[18]), c.begun) >= c.give_up_host then
    h.refuses = string.format('the host has refused for %d s: %s', (now - int(f[18])) / 1000, f[19])
  end
  return h
end

-- A host of this crawl, of which nothing more is asked: its queue is emptied, a chunk at a time. True if it is empty.
local function empty(crawl, host, say_of)
  local popped = chunk > 0 and redis.call('ZPOPMIN', queue_key(crawl, host), chunk) or {}
  for i = 1, #popped, 2 do
    say_of(popped[i])
    redis.call('HINCRBY', crawl_key(crawl), 'queued', -1)
    redis.call('HINCRBY', crawl_key(crawl), 'unfinished', -2)
  end
  chunk = chunk - #popped / 2
  if redis.call('EXISTS', queue_key(crawl, host)) == 1 then return false end
  unqueue(crawl, host)
  rest(host)
  finish(crawl, SOURCE, time)
  return true
end

-- Whose turn it is at a host that this crawl may ask now: of all that may, who was there the longest time ago. Turns of
-- crawls alone will not do: who is served at another host each time before this one is free would come last here for ever.
local function first_there(crawl, host, h)
  if redis.call('SCARD', host_crawls_key(host)) < 2 then return crawl, h end
  local names, fields, last = redis.call('SMEMBERS', host_crawls_key(host)), {}, {}
  for i, name in ipairs(names) do fields[i] = host_turn(name) end
  for i, turn in ipairs(redis.call('HMGET', host_key(host), unpack(fields))) do last[names[i]] = int(turn) end
  table.sort(names, function(a, b) return last[a] < last[b] or (last[a] == last[b] and a < b) end)
  local first, found = crawl, h
  for _, name in ipairs(names) do
    if last[name] >= (last[crawl] or 0) then break end
    local c, at = info[name], redis.call('ZSCORE', due_key(name), host)
    if c and at and tonumber(at) <= now and (c.most == 0 or c.pages + c.in_flight < c.most) then
      local its = look_at(host, c)
      local is_over = its.lost or its.refuses or its.too_slow
      if its.free_at <= now and not is_over and not (c.robots and its.pending) then
        first, found = name, its
        break
      end
    end
  end
  redis.call('HSET', host_key(host), host_turn(first), redis.call('INCR', turn_key))
  return first, found
end

-- Issue one URL of this crawl, or of one whose turn it is at its host: true and whose, or false and the ms when one may be due (-1: none, or not before a settle).
local function claim(crawl, c)
  for _ = 1, LOOKS do
    local first = redis.call('ZRANGE', due_key(crawl), 0, 0, 'WITHSCORES')
    if not first[1] then return false, -1 end
    if tonumber(first[2]) > now then return false, tonumber(first[2]) end
    local host = first[1]
    local h = look_at(host, c)
    -- A robots.txt is asked for in its crawl's turn, as a page is: whoever does not go by it cannot keep it waiting.
    if h.waits then show_waiting(crawl, host, h.free_at) end
    if h.in_flight >= h.limit or (c.robots and h.pending) then
      redis.call('ZREM', due_key(crawl), host)
    elseif h.lost or h.refuses or h.too_slow then
      if not empty(crawl, host, function(member)
        if h.lost then return give_up(crawl, member, 'robots_unreachable', h.lost, SOURCE, time) end
        if h.refuses then return give_up(crawl, member, 'host_refuses', h.refuses, SOURCE, time) end
        leave_out(crawl, member, 'crawl_delay', SOURCE, time)
      end) then return false, now end
    elseif h.in_flight + (old[host] or 0) >= h.limit then
      redis.call('ZADD', due_key(crawl), whole(now + OLD_LOOK), host)
    elseif h.free_at > now then
      redis.call('ZADD', due_key(crawl), whole(h.free_at), host)
    else
      local first, its = first_there(crawl, host, h)
      if its.unknown then return ask_robots(first, host, its), first end
      if next_queued(first, info[first], host, its) then return true, first end
    end
  end
  return false, now
end

-- The bound on pages is reached: what is still queued, or waits for another attempt, is left out, a chunk at a time.
local function drain(crawl)
  local left = CHUNK
  local function drop(member)
    leave_out(crawl, member, 'max_pages', SOURCE, time)
    redis.call('HINCRBY', crawl_key(crawl), 'unfinished', -2)
    left = left - 1
  end
  local waiting = redis.call('ZPOPMIN', retries_key(crawl), left)
  for i = 1, #waiting, 2 do drop(string.match(waiting[i], '^[^ ]* %d+ (.*)$')) end
  for _, host in ipairs(left > 0 and redis.call('HRANDFIELD', hosts_key(crawl), left) or {}) do
    local popped = left > 0 and redis.call('ZPOPMIN', queue_key(crawl, host), left) or {}
    for i = 1, #popped, 2 do drop(popped[i]) end
    if #popped > 0 then redis.call('HINCRBY', crawl_key(crawl), 'queued', -#popped / 2) end
    if left > 0 then
      unqueue(crawl, host)
      rest(host)
      redis.call('HDEL', hosts_key(crawl), host)
      redis.call('UNLINK', bodies_key(crawl, host))
    end
  end
  finish(crawl, SOURCE, time)
end

local issued, soonest, going, room = 0, -1, crawls, room_for_jobs()
local held = held_back()
if held then room = 0 end
for crawl, c in pairs(info) do
  if c.most > 0 and c.pages >= c.most then drain(crawl) end
end
while room > 0 and #going > 0 do
  local still = {}
  for _, crawl in ipairs(going) do
    local c = info[crawl]
    if room > 0 and (c.most == 0 or c.pages + c.in_flight < c.most) then
      local done, who = claim(crawl, c)
      if done then
        issued, room, info[who].served = issued + 1, room - 1, info[who].served + 1
        still[#still + 1] = crawl
      elseif who >= 0 and (soonest < 0 or who < soonest) then
        soonest = who
      end
    end
  end
  going = still
end
-- Who came first now comes last next time, so that of any two crawls that want the same host, each is first in turn.
for i = #crawls, 1, -1 do
  if info[crawls[i]].served > 0 and #crawls > 1 then
    redis.call('ZADD', turns_key, 'XX', redis.call('INCR', turn_key), crawls[i]) -- unless it is over by now
  end
end
return {issued, soonest < 0 and -1 or math.max(0, soonest - now), held and 1 or 0,
  int(redis.call('GET', in_flight_key)), redis.call('SCARD', forgetting_key), told()}
