-- Library. How a crawl that was lost comes back into the frontier.
-- (with take.lua, clock.lua, keys.lua, queues.lua)
--
-- counts(stream, group, id, crawl, epoch, run)   take a part of a replay and count it; true if it is of this world
-- applies(stream, group, id, crawl, epoch, run)  the same; true if it is to be worked into a crawl that is not over,
--                      and no later replay has begun to tell of it
-- begun(crawl, run)    from here on the parts of this run count for the crawl, and those of earlier ones no more
-- spare(crawl, hosts)  take these hosts (keys of a table) for asked a crawl-delay from now: who was at work when the
--                      world was lost may have asked since then, or be about to
local function counts(stream, group, id, crawl, epoch, run)
  if not take(stream, group, id) or redis.call('GET', epoch_key) ~= epoch then return false end
  redis.call('HINCRBY', crawl_key(crawl), 'run.' .. run, 1)
  return true
end

local function applies(stream, group, id, crawl, epoch, run)
  if not counts(stream, group, id, crawl, epoch, run) then return false end
  local f = redis.call('HMGET', crawl_key(crawl), 'state', 'restoring')
  if f[2] and f[2] ~= run then return false end
  return not f[1] or f[1] == 'running' or f[1] == 'paused'
end

local function begun(crawl, run)
  local at_it = redis.call('GET', replaying_key)
  if not at_it or at_it == run then redis.call('HSET', crawl_key(crawl), 'restoring', run) end
end

local function spare(crawl, hosts)
  local delay, now = int(redis.call('HGET', crawl_key(crawl), 'delay')), now_ms()
  for host in pairs(hosts) do
    local h = redis.call('HMGET', host_key(host), 'asked_at', 'crawl_delay')
    local at = now + math.max(delay, int(h[2]))
    if at > int(h[1]) then redis.call('HSET', host_key(host), 'asked_at', whole(at)) end
    rest(host)
  end
end
