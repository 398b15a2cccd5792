-- Library. The frontier's keys, the same as in contract/keys.py (a test compares them), and the clock.
-- (with clock.lua) All times are ms of our own time (see contract/bus/clock.lua).
--
-- crawl:<c>   HASH  state    running | paused | finished | cancelled
--                   spec     CrawlSpec in JSON;  name
--                   places   which members places:<c> has: their number and a sum, see places.lua
--                   version  of the crawl, +1 with each event of its own life
--                   restoring  the replay that rebuilds it from what is recorded: meanwhile it does not end
--                   run.<r>  parts of a replay that were worked in;  sent.<r>  that were sent
--                   hold     parts of seeds that are announced and have not come: it does not begin, nor end
--                   batch, parts   which ones they belong to, and the numbers of those that came
--                   unfinished  obligations: 2 for each URL (its outcome, and the reading of its page)
--                   discovered, queued, in_flight, fetched, pages, failed, excluded, retried   counts of URLs
--                   delay, per_host, robots, max_pages, max_host_pages   from the spec, as numbers
--                   same_body   too;  max_crawl_delay, patience, give_up_host   too, in ms;  begun   when it came to this server (ms)
--                   sequence   counter for first come first served
-- host:<h>    HASH  in_flight     requests now
--                   asked_at      when the last request started (ms)
--                   clear_at      no other start before, by the distance that the last one keeps (gate.lua)
--                   next_at       no request before (ms)
--                   block_until   nor before this, by the host's own word, or because it is in trouble (ms)
--                   crawl_delay   from its robots.txt (ms)
--                   errors        in a row;  trouble_at   when the last of these was counted (ms)
--                   latency       moving average (ms)
--                   robots        '' | pending | known;  robots_until (ms);  robots_tries
--                   answered      1 once it has answered anything
--                   waits_*, limited   see waits.lua;  pace, most, learnt, refuses_since, refusal  see limits.lua
--                   turn.<c>      when this crawl had it last, where others wanted it too: the count of turns then
-- A queued job is `<fingerprint>.<attempt>|<JSON of page.fetch>`.
local root = KEYS[1]

local function crawl_key(c) return root .. 'crawl:' .. c end
local function host_turn(c) return 'turn.' .. c end
local function due_key(c) return root .. 'due:' .. c end
local function hosts_key(c) return root .. 'hosts:' .. c end
local function queue_key(c, h) return root .. 'queue:' .. c .. ':' .. h end
local function seen_key(c) return root .. 'seen:' .. c end
local function bucket_key(c, g, b) return root .. 'seen:' .. c .. ':' .. g .. ':' .. b end
local function bodies_key(c, h) return root .. 'bodies:' .. c .. ':' .. h end
local function retries_key(c) return root .. 'retries:' .. c end
local function waits_key(c) return root .. 'waits:' .. c end
local function places_key(c) return root .. 'places:' .. c end
local function unread_key(c) return root .. 'unread:' .. c end
local function host_key(h) return root .. 'host:' .. h end
local function host_crawls_key(h) return root .. 'host_crawls:' .. h end
local turns_key = root .. 'turns'
local names_key = root .. 'names'
local turn_key = root .. 'turn'
local fetchers_key = root .. 'fetchers'
local old_requests_key = root .. 'old_requests'
local body_bytes_key = root .. 'body_bytes'
local in_flight_key = root .. 'in_flight'
local forgetting_key = root .. 'forgetting'
local resting_key = root .. 'resting'
local clock_key = root .. 'clock'

local epoch_key = root .. 'epoch'
local restored_key = root .. 'restored'
local replaying_key = root .. 'replaying'

local function stream_key(type) return root .. type end

local function now_ms()
  return clock(clock_key)
end

local function int(text)
  return tonumber(text or false) or 0
end

-- Large numbers must not turn into 1.7e+12 on their way into Redis.
local function whole(number)
  return string.format('%.0f', number)
end

-- Whether the frontier holds what is recorded. Until then nothing is issued, and no command carried out.
local function is_restored()
  local epoch = redis.call('GET', epoch_key)
  return epoch and redis.call('GET', restored_key) == epoch
end
