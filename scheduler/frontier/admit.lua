-- Library. How links come into a crawl.
-- (with clock.lua, keys.lua, envelope.lua, seen.lua, queues.lua, same.lua)
--
-- admit(crawl, first, last, source, time, of_copy, against)  add the links in ARGV from `first` to `last` that are not
--                   known yet. `of_copy`: they come behind all others; `against`: a reason to leave all of them out
-- A link that a rule is against is remembered apart, in the set `left`: it may be found again on a shorter way, or be
-- named as a seed, and is asked for then.
local function admit_one(crawl, sets, link, most, source, time)
  local left_before = seen_has(sets.left, link.fingerprint, link.bits)
  if link.reason ~= '' then
    if left_before or seen_has(sets.seen, link.fingerprint, link.bits) then return 0 end
    seen_add(sets.left, link.fingerprint, link.bits)
    leave_out(crawl, link.member, link.reason, source, time)
    return 1
  end
  if not seen_add(sets.seen, link.fingerprint, link.bits) then return 0 end
  if left_before then redis.call('HINCRBY', crawl_key(crawl), 'excluded', -1) end
  if redis.call('HINCRBY', hosts_key(crawl), link.host, 1) > most and most > 0 then
    leave_out(crawl, link.member, 'host_pages', source, time)
  else
    redis.call('HINCRBY', crawl_key(crawl), 'unfinished', 2)
    enqueue(crawl, link.host, link.of_copy and behind(link.depth) or link.depth, link.member)
  end
  return left_before and 0 or 1
end

-- Each link is six arguments from `first` on: fingerprint, bits, host, depth, member, reason to leave it out or ''.
-- Returns the number that were new.
local function admit(crawl, first, last, source, time, of_copy, against)
  if last < first then return 0 end
  local sets, new = {seen = seen_open(crawl), left = seen_open(crawl .. '.left')}, 0
  local most = int(redis.call('HGET', crawl_key(crawl), 'max_host_pages'))
  for i = first, last, 6 do
    local link = {fingerprint = ARGV[i], bits = tonumber(ARGV[i + 1]), host = ARGV[i + 2],
      depth = tonumber(ARGV[i + 3]), member = ARGV[i + 4], reason = ARGV[i + 5], of_copy = of_copy}
    if link.reason == '' then link.reason = against or '' end
    new = new + admit_one(crawl, sets, link, most, source, time)
  end
  seen_close(sets.seen)
  seen_close(sets.left)
  if new > 0 then redis.call('HINCRBY', crawl_key(crawl), 'discovered', new) end
  return new
end
