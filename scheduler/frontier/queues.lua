-- Library. Queues of URL jobs, one for each host and crawl, and what happens to a job that is left out.
--
-- wake(host, at)                      the host may be asked from `at` on: show it to all crawls that want it
-- enqueue(crawl, host, depth, member) queue a job, by depth, then first come first served
-- leave_out(crawl, member, reason, source, time)  end a queued job without asking
-- admit(seen, links, ...)             add the links that are not known yet
local DEPTH_STEP = 2 ^ 40 -- leaves room for 10^12 URLs on one depth and 8,000 depths

local function wake(host, at)
  for _, crawl in ipairs(redis.call('SMEMBERS', host_crawls_key(host))) do
    redis.call('ZADD', due_key(crawl), whole(at), host)
  end
end

local function enqueue(crawl, host, depth, member)
  local sequence = redis.call('HINCRBY', crawl_key(crawl), 'sequence', 1)
  local queue = queue_key(crawl, host)
  redis.call('ZADD', queue, whole(depth * DEPTH_STEP + sequence), member)
  redis.call('HINCRBY', crawl_key(crawl), 'queued', 1)
  if redis.call('SADD', host_crawls_key(host), crawl) == 0 then return end
  redis.call('PERSIST', host_key(host))
  local h = redis.call('HMGET', host_key(host), 'in_flight', 'next_at', 'block_until')
  if int(h[1]) < int(redis.call('HGET', crawl_key(crawl), 'per_host')) then
    redis.call('ZADD', due_key(crawl), whole(math.max(int(h[2]), int(h[3]))), host)
  end -- else it is parked: settle wakes it when a slot is free
end

local function attempt_of(member)
  return tonumber(string.match(member, '^[^|]*%.(%d+)|'))
end

local function leave_out(crawl, member, reason, source, time)
  local key = crawl_key(crawl)
  redis.call('HINCRBY', key, 'unfinished', -2)
  if attempt_of(member) > 1 then -- it was asked for before: that failure is its outcome
    redis.call('HINCRBY', key, 'failed', 1)
    return
  end
  redis.call('HINCRBY', key, 'excluded', 1)
  local bar = string.find(member, '|', 1, true)
  local fingerprint = string.sub(member, 1, 16)
  say('page.excluded', source, time, crawl, crawl .. '.' .. fingerprint .. '.excluded',
    string.sub(member, bar + 1, -2) .. ',"reason":"' .. reason .. '"}')
end

-- Each link is six arguments from `first` on: fingerprint, bits, host, depth, member, reason to leave it out or ''.
-- Returns the number that were new.
local function admit(crawl, first, last, source, time)
  local key, seen, new = crawl_key(crawl), seen_open(crawl), 0
  local most = int(redis.call('HGET', key, 'max_host_pages'))
  -- URLs that are too far away may be found again on a shorter way, so they are remembered apart.
  local far = seen_open(crawl .. '.far')
  local too_far = {depth = true, too_many_redirects = true}
  for i = first, last, 6 do
    local fingerprint, bits, host = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
    local depth, member, reason = tonumber(ARGV[i + 3]), ARGV[i + 4], ARGV[i + 5]
    local known_far = too_far[reason] and seen_has(seen, fingerprint, bits)
    if not known_far and seen_add(too_far[reason] and far or seen, fingerprint, bits) then
      new = new + 1
      if not too_far[reason] and seen_has(far, fingerprint, bits) then -- it was left out, and is in after all
        redis.call('HINCRBY', key, 'excluded', -1)
        new = new - 1
      end
      redis.call('HINCRBY', key, 'unfinished', 2)
      if reason == '' and redis.call('HINCRBY', hosts_key(crawl), host, 1) > most and most > 0 then
        reason = 'host_pages'
      end
      if reason == '' then
        enqueue(crawl, host, depth, member)
      else
        leave_out(crawl, member, reason, source, time)
      end
    end
  end
  seen_close(seen)
  seen_close(far)
  redis.call('HINCRBY', key, 'discovered', new)
  return new
end
