-- Library. Pages of one host with the very same body. A rewrite that answers every path alike makes URLs without end of
-- relative links: each page of a body that is known already leads to URLs that nobody has seen. A link that does not
-- change with the path is known from the first copy, so what such a page alone has found is worth little.
-- (with clock.lua, keys.lua, envelope.lua, queues.lua)
--
-- copies(crawl, host, body)   how many pages of the host had this body, this one counted; no more than there were. 1
--                             where nobody counts: at a host of which little is known yet, or a body without a digest
-- behind(depth)               the place in a queue of what only a copy has found: behind all else of its host
-- leave_copies_out(crawl, host, source, time)   leave out what stands there, some of it at a time
local MOST_BODIES = 64 -- that are counted for one host: what makes up more than 1/65 of its pages is among them
local FROM = 50        -- URLs of a host from which on there is something to count
local BEHIND = 4000    -- half of the depths that a queue can tell apart
local SOME = 500       -- URLs left out in one run

-- Who is new where the table is full takes one from each (Misra, Gries, Finding repeated elements, 1982): so what is
-- frequent stays, and no count is more than there were.
local function copies(crawl, host, body)
  local key = bodies_key(crawl, host)
  if body == '' or int(redis.call('HGET', hosts_key(crawl), host)) < FROM then return 1 end
  if redis.call('HEXISTS', key, body) == 1 or redis.call('HLEN', key) < MOST_BODIES then
    return redis.call('HINCRBY', key, body, 1)
  end
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if all[i + 1] == '1' then redis.call('HDEL', key, all[i]) else redis.call('HINCRBY', key, all[i], -1) end
  end
  return 1
end

local function behind(depth)
  return math.min(depth, BEHIND - 1) + BEHIND
end

local function leave_copies_out(crawl, host, source, time)
  local queue = queue_key(crawl, host)
  local found = redis.call('ZRANGEBYSCORE', queue, whole(BEHIND * DEPTH_STEP), '+inf', 'LIMIT', 0, SOME)
  for _, member in ipairs(found) do
    redis.call('ZREM', queue, member)
    leave_out(crawl, member, 'same_body', source, time)
  end
  if #found == 0 then return end
  redis.call('HINCRBY', crawl_key(crawl), 'queued', -#found)
  redis.call('HINCRBY', crawl_key(crawl), 'unfinished', -2 * #found)
end
