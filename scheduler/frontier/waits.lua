-- Library. Hosts that are waited for as a whole: no URL is to blame, so none is asked for, and none fails by it.
-- (with clock.lua, keys.lua)
--
-- What a host is waited for stands in its hash:
--   waits_for    robots: its robots.txt could not be had
--   waits_until  not before this is it tried again (ms);  waits_since  when waiting began (ms);  waits_why  a word
--   waits_tried  when it was tried last, in vain (ms)
-- set_terms(crawl, spec)               note, in ms, how long a crawl waits, and what it waits for no more
-- show_waiting(crawl, host, at)        let who looks at the crawl see it
-- hide_waiting(crawl, host)
-- wait_for(host, what, why, now, at)   what was tried now was in vain; it is tried again then
-- wait_no_more(host)                   it was not in vain
-- limit(host, why, at)                 it has said that it is asked too often: it is left alone until then (`limited`: why)
-- limit_no_more(host)                  it is asked again
local PAUSED = 60000 -- a try that comes later than this was held up: the time before it was nobody's waiting

local function set_terms(crawl, spec)
  local s = cjson.decode(spec)
  redis.call('HSET', crawl_key(crawl), 'begun', whole(now_ms()),
    'same_body', whole(s.same_body or 0), 'max_crawl_delay', whole((s.max_crawl_delay_seconds or 300) * 1000),
    'give_up_host', whole((s.give_up_host_seconds or 86400) * 1000),
    'patience', whole((s.robots_patience_seconds or 14400) * 1000))
end

local function show_waiting(crawl, host, at)
  redis.call('ZADD', waits_key(crawl), whole(at), host)
end

local function hide_waiting(crawl, host)
  redis.call('ZREM', waits_key(crawl), host)
end

local function wait_for(host, what, why, now, at)
  local f = redis.call('HMGET', host_key(host), 'waits_for', 'waits_since', 'waits_until')
  local since = f[1] == what and int(f[2]) or now
  if f[1] == what and now - int(f[3]) > PAUSED then since = math.min(now, since + now - int(f[3])) end
  redis.call('HSET', host_key(host), 'waits_for', what, 'waits_why', why, 'waits_since', whole(since),
    'waits_tried', whole(now), 'waits_until', whole(at))
  for _, crawl in ipairs(redis.call('SMEMBERS', host_crawls_key(host))) do
    if redis.call('HGET', crawl_key(crawl), 'robots') == '1' then show_waiting(crawl, host, at) end
  end
end

local function wait_no_more(host)
  if redis.call('HDEL', host_key(host), 'waits_for', 'waits_why', 'waits_since', 'waits_tried', 'waits_until') == 0 then
    return
  end
  for _, crawl in ipairs(redis.call('SMEMBERS', host_crawls_key(host))) do hide_waiting(crawl, host) end
end

local function limit(host, why, at)
  redis.call('HSET', host_key(host), 'limited', why)
  for _, crawl in ipairs(redis.call('SMEMBERS', host_crawls_key(host))) do show_waiting(crawl, host, at) end
end

-- Also for crawls that have nothing queued there, but a URL that waits for another attempt.
local function limit_no_more(host)
  redis.call('HDEL', host_key(host), 'limited')
  for _, crawl in ipairs(redis.call('HVALS', names_key)) do hide_waiting(crawl, host) end
end
