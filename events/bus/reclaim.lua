-- Take over one delivery whose lease ran out (Redis 7.0 reply of XAUTOCLAIM: cursor, entries, deleted ids).
--
-- KEYS[1]  stream
-- ARGV[1]  group
-- ARGV[2]  consumer that takes it over
-- ARGV[3]  lease in ms: an entry idle for less is left alone
-- ARGV[4]  cursor of the last call, '0-0' at first
-- returns  {next cursor, entry id or '', deliveries so far, fields, number of entries found deleted}
local reply = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', 1)
local gone = #(reply[3] or {})
local entry = reply[2][1]
if not entry then
  return {reply[1], '', 0, {}, gone}
end
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
local count = pending[1] and pending[1][4] or 1
return {reply[1], entry[1], count, entry[2], gone}
