-- Library. The set of known URLs: 64-bit fingerprints in many small sets, each kept within Redis' intset encoding
-- (512 entries), which takes 9 to 15 bytes a URL. Generations of 2^6, 2^10, 2^14, 2^18, 2^22 buckets keep that so up to
-- two billion URLs of a crawl: look in all, add to the newest, open the next when it is full. (As hash tables, which the
-- last generation's buckets become beyond that, they take 42 bytes a URL.)
--
-- seen_open(crawl) -> state
-- seen_add(state, fingerprint, bits) -> true if it was not known
-- seen_has(state, fingerprint, bits) -> true if it is known
-- seen_close(state)
--   bits  the fingerprint's lowest 22 bits (Lua's numbers cannot hold 64)
local SEEN_BUCKETS = {64, 1024, 16384, 262144, 4194304}
local SEEN_FILL = 400 -- on average; 512 is then 5.6 standard deviations away

local function seen_open(crawl)
  local state = {crawl = crawl, counts = {}, newest = 1}
  local raw = redis.call('HGETALL', seen_key(crawl))
  for i = 1, #raw, 2 do
    local generation = tonumber(raw[i])
    state.counts[generation] = tonumber(raw[i + 1])
    if generation > state.newest then state.newest = generation end
  end
  return state
end

local function seen_add(state, fingerprint, bits)
  local newest = state.newest
  for generation = 1, newest - 1 do
    local bucket = bucket_key(state.crawl, generation, bits % SEEN_BUCKETS[generation])
    if redis.call('SISMEMBER', bucket, fingerprint) == 1 then return false end
  end
  local bucket = bucket_key(state.crawl, newest, bits % SEEN_BUCKETS[newest])
  if redis.call('SADD', bucket, fingerprint) == 0 then return false end
  state.counts[newest] = (state.counts[newest] or 0) + 1
  state.changed = true
  if state.counts[newest] >= SEEN_BUCKETS[newest] * SEEN_FILL and SEEN_BUCKETS[newest + 1] then
    state.newest = newest + 1
    redis.call('HSET', seen_key(state.crawl), newest, state.counts[newest])
  end
  return true
end

local function seen_has(state, fingerprint, bits)
  for generation in pairs(state.counts) do
    local bucket = bucket_key(state.crawl, generation, bits % SEEN_BUCKETS[generation])
    if redis.call('SISMEMBER', bucket, fingerprint) == 1 then return true end
  end
  return false
end

local function seen_close(state)
  local count = state.counts[state.newest]
  if state.changed and count then redis.call('HSET', seen_key(state.crawl), state.newest, count) end
end
