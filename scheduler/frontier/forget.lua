-- Free the memory of a crawl that has ended, some keys at a time.
-- (with clock.lua, keys.lua, envelope.lua, seen.lua, queues.lua)
--
-- KEYS[1]  root of all keys
-- ARGV[1]  most keys to free in this run
-- returns  1 while there is more to free, 0 when nothing is left
local crawl = redis.call('SRANDMEMBER', forgetting_key)
if not crawl then return 0 end
local left = tonumber(ARGV[1])
local CRAWL_LIFE = 86400 -- late messages, and people, may still ask how it ended

local function free_seen(name)
  local generations = redis.call('HKEYS', seen_key(name))
  for _, generation in ipairs(generations) do
    local bucket = int(redis.call('HGET', crawl_key(crawl), 'freed.' .. name .. generation))
    while bucket < SEEN_BUCKETS[tonumber(generation)] do
      if left <= 0 then
        redis.call('HSET', crawl_key(crawl), 'freed.' .. name .. generation, bucket)
        return false
      end
      redis.call('UNLINK', bucket_key(name, generation, bucket))
      bucket, left = bucket + 1, left - 1
    end
    redis.call('HDEL', crawl_key(crawl), 'freed.' .. name .. generation)
    redis.call('HDEL', seen_key(name), generation)
  end
  return true
end

local function free_queues()
  while left > 0 do
    local page = redis.call('HSCAN', hosts_key(crawl), 0, 'COUNT', 100)[2]
    if #page == 0 then return true end
    for i = 1, #page, 2 do
      redis.call('UNLINK', queue_key(crawl, page[i]), bodies_key(crawl, page[i]))
      redis.call('SREM', host_crawls_key(page[i]), crawl)
      redis.call('HDEL', host_key(page[i]), host_turn(crawl))
      rest(page[i])
      redis.call('HDEL', hosts_key(crawl), page[i])
      left = left - 1
    end
  end
  return false
end

if free_seen(crawl) and free_seen(crawl .. '.left') and free_queues() then
  redis.call('UNLINK', due_key(crawl), retries_key(crawl), places_key(crawl), unread_key(crawl), waits_key(crawl))
  redis.call('EXPIRE', crawl_key(crawl), CRAWL_LIFE)
  redis.call('SREM', forgetting_key, crawl)
end
return redis.call('SCARD', forgetting_key) > 0 and 1 or 0
