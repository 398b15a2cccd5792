-- Acknowledge what is recorded, and remember the latest batch that SQL must have from here on.
--
-- KEYS[1]   the mark (keys.recorded): `<batch> <recorder>`
-- KEYS[2..] streams
-- ARGV[1]   group   ARGV[2]  batch, a number that grows with each   ARGV[3]  recorder
-- ARGV[4..] for each stream the number of its entries, and their ids
-- returns   number of entries that were finished by this call
local MOST = 1000 -- words that one command takes
local finished, at = 0, 4
for i = 2, #KEYS do
  local last = at + tonumber(ARGV[at])
  for first = at + 1, last, MOST do
    finished = finished + redis.call('XACK', KEYS[i], ARGV[1], unpack(ARGV, first, math.min(last, first + MOST - 1)))
  end
  at = last + 1
end
-- Recorders acknowledge in another order than they commit. What SQL has lost keeps its mark until that is noticed.
local known = redis.call('GET', KEYS[1])
if not known or tonumber(string.match(known, '^%d+')) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[3])
end
return finished
