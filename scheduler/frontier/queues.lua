-- Library. Queues of URL jobs, one for each host and crawl, and what happens to a job that is left out.
-- (with clock.lua, keys.lua)
--
-- wake(host, at)                      the host may be asked from `at` on: show it to all crawls that want it
-- delay_of(delay, crawl_delay, most)  ms from one request to the next; who asks for more than `most` is left out of a
--                                     crawl that goes by robots.txt, and is nothing to one that does not
-- rest(host)                          nobody wants the host for now: it is remembered for a while, and for as long as
--                                     any wait that is noted on it
-- forget_hosts(most)                  forget so many hosts that have rested for long enough
-- enqueue(crawl, host, depth, member) queue a job, by depth, then first come first served
-- leave_out(crawl, member, reason, source, time)  count and say the outcome of a job that is not asked for
-- give_up(crawl, member, reason, detail, source, time)  the same for one that cannot be asked for
local DEPTH_STEP = 2 ^ 40 -- leaves room for 10^12 URLs on one depth and 8,000 depths
local HOST_LIFE = 7200000 -- a host that nobody wants is remembered for two hours more than it wants to be left alone
local PACE_LIFE = 604800000 -- and for a week if it has taught us its rate: the next crawl goes by that

local function wake(host, at)
  for _, crawl in ipairs(redis.call('SMEMBERS', host_crawls_key(host))) do
    redis.call('ZADD', due_key(crawl), whole(at), host)
  end
end

local function rest(host)
  if redis.call('EXISTS', host_crawls_key(host)) == 1 then return end
  local last = now_ms()
  for _, at in ipairs(redis.call('HMGET', host_key(host), 'asked_at', 'next_at', 'block_until', 'waits_until')) do
    last = math.max(last, int(at))
  end
  local is_paced = redis.call('HEXISTS', host_key(host), 'learnt') == 1
  redis.call('ZADD', resting_key, whole(last + (is_paced and PACE_LIFE or HOST_LIFE)), host)
end

local function forget_hosts(most)
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', resting_key, '-inf', whole(now_ms()), 'LIMIT', 0, most)) do
    -- One to which a robots.txt led may be wanted meanwhile.
    if redis.call('EXISTS', host_crawls_key(host)) == 0 then redis.call('UNLINK', host_key(host)) end
    redis.call('ZREM', resting_key, host)
  end
end

local function delay_of(delay, crawl_delay, most)
  return crawl_delay <= most and math.max(delay, crawl_delay) or delay
end

local function enqueue(crawl, host, depth, member)
  local sequence = redis.call('HINCRBY', crawl_key(crawl), 'sequence', 1)
  redis.call('ZADD', queue_key(crawl, host), whole(depth * DEPTH_STEP + sequence), member)
  redis.call('HINCRBY', crawl_key(crawl), 'queued', 1)
  if redis.call('SADD', host_crawls_key(host), crawl) == 0 then return end
  redis.call('HSETNX', hosts_key(crawl), host, 0) -- whoever empties the queues finds them by this
  redis.call('ZREM', resting_key, host)
  local h = redis.call('HMGET', host_key(host), 'in_flight', 'next_at', 'block_until', 'limited')
  if h[4] and int(h[3]) > now_ms() then redis.call('ZADD', waits_key(crawl), whole(int(h[3])), host) end
  if int(h[1]) < int(redis.call('HGET', crawl_key(crawl), 'per_host')) then
    redis.call('ZADD', due_key(crawl), whole(math.max(int(h[2]), int(h[3]))), host)
  end -- else it is parked: settle wakes it when a slot is free
end

local function attempt_of(member)
  return tonumber(string.match(member, '^[^|]*%.(%d+)|'))
end

local function leave_out(crawl, member, reason, source, time)
  if attempt_of(member) > 1 then -- it was asked for before: that failure is its outcome
    redis.call('HINCRBY', crawl_key(crawl), 'failed', 1)
    return
  end
  redis.call('HINCRBY', crawl_key(crawl), 'excluded', 1)
  local bar = string.find(member, '|', 1, true)
  local fingerprint = string.sub(member, 1, 16)
  say('page.excluded', source, time, crawl, crawl .. '.' .. fingerprint .. '.excluded',
    string.sub(member, bar + 1, -2) .. ',"reason":"' .. reason .. '"}')
end

local function give_up(crawl, member, reason, detail, source, time)
  redis.call('HINCRBY', crawl_key(crawl), 'failed', 1)
  if attempt_of(member) > 1 then return end -- as above
  local page = cjson.decode(string.sub(member, string.find(member, '|', 1, true) + 1))
  page.hops, page.attempt, page.asked, page.reason, page.detail = page.hops or 0, 0, false, reason, detail
  page.via = page.via or cjson.null
  say('page.failed', source, time, crawl, crawl .. '.' .. page.fingerprint .. '.given_up', cjson.encode(page))
end
