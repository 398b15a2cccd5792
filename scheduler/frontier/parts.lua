-- Library. Seeds that come in parts: the crawl begins, and may end, when as many were worked in as were announced. Parts
-- have no order: two schedulers work on them side by side, and the one that was sent last may be the first.
-- (with keys.lua)
--
-- expect(crawl, batch, count)           so many parts of this batch follow; whoever announced others before is forgotten
-- expect_again(crawl, count)            the sender asks once more: where the crawl was rebuilt meanwhile, nobody knows which
--                                       parts came, so all are expected; why they cannot be, where it is over
-- part_came(crawl, batch, part, last)   this one is worked in; a part that comes twice counts once. batch '': a sender
--                                       that does not count them, and says which is the last
local function expect(crawl, batch, count)
  redis.call('HSET', crawl_key(crawl), 'hold', count, 'batch', batch, 'parts', ',')
end

local function expect_again(crawl, count)
  local f = redis.call('HMGET', crawl_key(crawl), 'batch', 'state')
  if f[1] or tonumber(count) == 0 then return nil end
  if f[2] ~= 'running' and f[2] ~= 'paused' then
    return 'the crawl was rebuilt before all of its seeds came, and is ' .. (f[2] or 'gone')
  end
  expect(crawl, crawl, count)
end

local function part_came(crawl, batch, part, last)
  if batch == '' then
    if last == '1' then redis.call('HSET', crawl_key(crawl), 'hold', 0) end
    return
  end
  local f = redis.call('HMGET', crawl_key(crawl), 'batch', 'parts', 'hold')
  if f[1] ~= batch or string.find(f[2], ',' .. part .. ',', 1, true) then return end
  redis.call('HSET', crawl_key(crawl), 'parts', f[2] .. part .. ',', 'hold', math.max(0, int(f[3]) - 1))
end
