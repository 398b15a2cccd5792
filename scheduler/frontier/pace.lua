-- Library. What a host has taught us of its rate. Pure: no clock, no keys; a state goes in and comes out changed.
--
-- The rate is halved, or nearly, by a refusal, and won back along the curve of CUBIC (RFC 9438 §4.2): fast towards the
-- rate that was refused, slow around it, and beyond it only after long. What that RFC counts in time, we count in
-- answers for good. As in TCP (RFC 6582 §3.2) all refusals of requests that were sent before the last slow-down are one
-- event: they say nothing of the new rate. Pauses after refusals in a row are none of the rate's matter: a host that
-- locks us out for a minute does not mean to be asked once a minute.
--
-- state   pace    ms between starts that the host bears, 0: nothing is known against it
--         first   the pace right after the last event;  peak  the pace around which it is careful
--         good    answers for good since then;  eased_at  when that event was (ms)
--         most    requests at once that it bears, 0: nothing is known;  row  events in a row, without a good answer
-- refused(s, now, sent, gap, per_host)  it would not answer: true if that is an event. gap: ms between the last starts
-- slow(s, now, sent, gap)               it takes long to answer: true if that is an event
-- answered(s)                           it did answer
-- pause_of(s)                           ms to leave it alone after a refusal
local CUT, HALF = 0.7, 0.5  -- of the rate, at an event; and where it follows so soon that the rate was far from right
local SOON = 8              -- good answers between
local CAREFUL = 0.95        -- of a rate that was refused is where the curve is flat
local WAY = 60              -- good answers until it is there
local GENTLE = 10           -- good answers that a slow one takes back
local SHORTEST, LONGEST = 20, 600000 -- ms that a pace may be
local ROW = 2               -- from there on a row says that we are locked out, not that we are still too fast
local WON_BACK = 30         -- good answers for one more request at once
local MOST = 64             -- at once, from where on there is no limit
local FIRST_REST, LONGEST_REST = 1000, 600000 -- ms that a host is left alone after refusals in a row

local function along(s)
  local rate, first = 1 / s.peak, 1 / s.first
  local left = 1 - s.good / WAY
  return 1 / (rate - (rate - first) * left ^ 3)
end

local function begin(s, now, first, peak)
  s.first, s.peak = math.min(math.max(first, SHORTEST), LONGEST), math.min(math.max(peak, SHORTEST), LONGEST)
  s.good, s.eased_at, s.pace = 0, now, math.ceil(math.min(math.max(first, SHORTEST), LONGEST))
end

local function refused(s, now, sent, gap, per_host)
  if sent <= s.eased_at then return false end
  s.row = s.row + 1
  local far = s.pace > 0 and s.good < SOON
  gap = math.max(gap, s.pace, SHORTEST)
  if s.row <= ROW then
    begin(s, now, gap / (far and HALF or CUT), gap / CAREFUL)
  else
    s.eased_at = now
  end
  s.most = math.max(1, math.floor((s.most > 0 and math.min(s.most, per_host) or per_host) / 2))
  return true
end

local function slow(s, now, sent, gap)
  if sent <= s.eased_at then return false end
  if s.pace > 0 then
    s.good, s.eased_at = math.max(0, s.good - GENTLE), now
    s.pace = math.ceil(along(s))
  else
    gap = math.max(gap, SHORTEST)
    begin(s, now, gap / CUT, gap)
    s.good = WAY - GENTLE
    s.pace = math.ceil(along(s))
  end
  return true
end

-- A pace that no longer matters is forgotten.
local function answered(s)
  s.row = 0
  if s.pace == 0 and s.most == 0 then return end
  s.good = s.good + 1
  if s.most > 0 and s.good % WON_BACK == 0 then s.most = s.most + 1 end
  if s.most >= MOST then s.most = 0 end
  if s.pace > 0 then
    s.pace = math.ceil(along(s))
    if s.pace < SHORTEST then s.pace = 0 end
  end
end

-- How long nobody asks after a refusal: longer with each in a row.
local function pause_of(s)
  return math.min(FIRST_REST * 3 ^ math.min(s.row - 1, 20), LONGEST_REST)
end
