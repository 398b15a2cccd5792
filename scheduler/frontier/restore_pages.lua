-- Outcomes of a crawl that was lost. A URL that is known already is passed over, so any part may come twice.
-- (with take.lua, clock.lua, keys.lua, envelope.lua, seen.lua, queues.lua, restoring.lua)
--
-- KEYS[1]  root of all keys
-- KEYS[2]  stream of the delivery
-- ARGV[1]  group   ARGV[2]  entry id   ARGV[3]  time (RFC 3339)   ARGV[4]  crawl   ARGV[5]  epoch   ARGV[6]  run
-- ARGV[7..] ten for each page: fingerprint, bits, host, depth,
--          kind: page (2xx) | moved (3xx) | failed | excluded | left (a rule was against it) | retry,
--          attempt, 1 if it was read, Unix ms until which the host wants to be left alone,
--          ms until the retry, and its job; for page and moved the fingerprint in hex instead
-- returns  number of pages that were worked in
local crawl, now = ARGV[4], now_ms()
if not applies(KEYS[2], ARGV[1], ARGV[2], crawl, ARGV[5], ARGV[6]) then return 0 end
local LONGEST_BLOCK = 3600000
local ck, seen, left = crawl_key(crawl), seen_open(crawl), seen_open(crawl .. '.left')
local counts, hosts, asked, new = {}, {}, {}, 0

local function count(name, by) counts[name] = (counts[name] or 0) + by end

local function is_new(p)
  local was_left = seen_has(left, p.mark, p.bits)
  if p.kind == 'left' then
    if was_left or seen_has(seen, p.mark, p.bits) then return false end
    seen_add(left, p.mark, p.bits)
  elseif not seen_add(seen, p.mark, p.bits) then
    return false
  elseif was_left then
    count('excluded', -1)
    count('discovered', -1)
  end
  return true
end

local function block(host, unix)
  local at = from_unix(clock_key, unix)
  if at <= now then return end
  local before = int(redis.call('HGET', host_key(host), 'block_until'))
  redis.call('HSET', host_key(host), 'block_until', whole(math.max(before, math.min(at, now + LONGEST_BLOCK))))
end

local function work_in(p)
  count('discovered', 1)
  if p.kind == 'left' then return count('excluded', 1) end
  hosts[p.host] = (hosts[p.host] or 0) + 1
  if p.attempt > 0 then asked[p.host] = true end
  if p.attempt > 1 then count('retried', p.attempt - 1) end
  if p.kind == 'retry' then
    count('unfinished', 2)
    count('retried', 1)
    redis.call('ZADD', retries_key(crawl), whole(now + p.wait), p.host .. ' ' .. p.depth .. ' ' .. p.job)
  elseif p.kind == 'page' or p.kind == 'moved' then
    count('fetched', 1)
    if p.kind == 'page' then count('pages', 1) end
    if not p.read then
      count('unfinished', 1)
      redis.call('SADD', unread_key(crawl), p.job)
    end
  else
    count(p.kind, 1)
  end
  block(p.host, p.block_until)
end

for i = 7, #ARGV, 10 do
  local p = {mark = ARGV[i], bits = tonumber(ARGV[i + 1]), host = ARGV[i + 2], depth = ARGV[i + 3], kind = ARGV[i + 4],
    attempt = tonumber(ARGV[i + 5]), read = ARGV[i + 6] == '1', block_until = tonumber(ARGV[i + 7]),
    wait = tonumber(ARGV[i + 8]), job = ARGV[i + 9]}
  if is_new(p) then
    work_in(p)
    new = new + 1
  end
end
seen_close(seen)
seen_close(left)
for name, by in pairs(counts) do redis.call('HINCRBY', ck, name, by) end
for host, by in pairs(hosts) do redis.call('HINCRBY', hosts_key(crawl), host, by) end
spare(crawl, asked)
return new
