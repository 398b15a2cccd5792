-- Take over one delivery whose lease ran out (Redis 7.0 reply of XAUTOCLAIM: cursor, entries, deleted ids).
--
-- KEYS[1]  stream
-- ARGV[1]  group
-- ARGV[2]  consumer that takes it over
-- ARGV[3]  lease in ms: an entry idle for less is left alone
-- ARGV[4]  cursor of the last call, '0-0' at first
-- returns  {next cursor, entry id or '', deliveries so far, fields, number of entries found deleted}
local STEPS = 100 -- one step looks at ten pending entries, so a run looks at a thousand: under a millisecond
local cursor, gone = ARGV[4], 0
for _ = 1, STEPS do
  local reply = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], cursor, 'COUNT', 1)
  cursor, gone = reply[1], gone + #(reply[3] or {})
  local entry = reply[2][1]
  if entry then
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
    return {cursor, entry[1], pending[1] and pending[1][4] or 1, entry[2], gone}
  end
  if cursor == '0-0' then break end
end
return {cursor, '', 0, {}, gone}
