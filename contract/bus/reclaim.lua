-- Take over one delivery whose lease ran out (Redis 7.0 reply of XAUTOCLAIM: cursor, entries, deleted ids).
-- (with clock.lua)
--
-- KEYS[1]  stream
-- KEYS[2]  clock
-- ARGV[1]  group
-- ARGV[2]  consumer that takes it over
-- ARGV[3]  lease in ms: an entry idle for less is left alone
-- ARGV[4]  cursor of the last call, '0-0' at first
-- ARGV[5]  name of the stream
-- ARGV[6]  1: what comes back counts only when its consumer begins with it (renew.lua); until then it only holds it
-- returns  {next cursor, entry id or '', deliveries so far, fields, number of entries found deleted}
local STEPS = 100 -- one step looks at ten pending entries, so a run looks at a thousand: under a millisecond
local cursor, gone = ARGV[4], 0

-- The server measures a lease by its clock. When that was set, some would never run out, or all would at once: those of
-- the living too. So all begin anew; the living renew theirs.
local function begin_anew()
  local after = '-'
  while true do
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], after, '+', 500)
    for _, held in ipairs(pending) do
      local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], held[2], 0, held[1], 'IDLE', 0, 'RETRYCOUNT', held[4], 'JUSTID')
      if #claimed == 0 then gone = gone + 1 end
    end
    if #pending < 500 then return end
    after = '(' .. pending[#pending][1]
  end
end

local mark, now = 'renewed.' .. ARGV[1] .. '.' .. ARGV[5], turn(KEYS[2])
if (tonumber(redis.call('HGET', KEYS[2], mark) or '0')) ~= now then
  begin_anew()
  redis.call('HSET', KEYS[2], mark, now)
end
for _ = 1, STEPS do
  local reply = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], cursor, 'COUNT', 1)
  cursor, gone = reply[1], gone + #(reply[3] or {})
  local entry = reply[2][1]
  if entry then
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
    local count = pending[1] and pending[1][4] or 1
    if ARGV[6] == '1' and count > 1 then
      redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry[1], 'RETRYCOUNT', count - 1, 'JUSTID')
    end
    return {cursor, entry[1], count, entry[2], gone}
  end
  if cursor == '0-0' then break end
end
return {cursor, '', 0, {}, gone}
