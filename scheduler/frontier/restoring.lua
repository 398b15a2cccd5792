-- Library. How a crawl that was lost comes back into the frontier.
-- (with take.lua, keys.lua, queues.lua)
--
-- counts(stream, group, id, crawl, epoch, run)   take a part of a replay and count it; true if it is of this world
-- applies(stream, group, id, crawl, epoch, run)  the same; true if it is to be worked into a crawl that is not over
-- spare(crawl, hosts)  take these hosts (keys of a table) for asked a crawl-delay from now: who was at work when the
--                      world was lost may have asked since then, or be about to
local function counts(stream, group, id, crawl, epoch, run)
  if not take(stream, group, id) or redis.call('GET', epoch_key) ~= epoch then return false end
  redis.call('HINCRBY', crawl_key(crawl), 'run.' .. run, 1)
  return true
end

local function applies(stream, group, id, crawl, epoch, run)
  if not counts(stream, group, id, crawl, epoch, run) then return false end
  local state = redis.call('HGET', crawl_key(crawl), 'state')
  return not state or state == 'running' or state == 'paused'
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
