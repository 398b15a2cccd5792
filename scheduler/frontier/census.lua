-- Library. Requests that this server may not know of: of a world before it was emptied, or of its own last seconds before
-- another one took its place (scraper/fetchers/old_requests.py tells of them).
-- (with clock.lua, keys.lua)
--
-- census_left(now)   ms until fetchers have told all, 0: they have had their time
-- old_requests(now)  how many there are by host: they count to its limit, and end without a settle
local CENSUS = 1000 -- ms; they look four times a second

local function census_left(now)
  local since = anew(clock_key)
  return since > 0 and math.max(0, since + CENSUS - now) or 0
end

local function old_requests(now)
  local old = {}
  local begun = redis.call('ZRANGE', old_requests_key, 0, -1, 'WITHSCORES')
  for i = 1, #begun, 2 do
    local host = string.match(begun[i], '^[^ ]*')
    if tonumber(begun[i + 1]) > now then
      old[host] = (old[host] or 0) + 1
    else
      redis.call('ZREM', old_requests_key, begun[i])
    end
  end
  return old
end
