-- Forget what every group is through with: entries older than the slowest group's oldest unfinished one, and the
-- bodies that belong to them. Never by length: what nobody has read yet is never dropped.
--
-- KEYS[1]  stream
-- KEYS[2]  counter of body bytes
-- ARGV[1]  most entries to forget in this run
-- ARGV[2]  number of groups there must be; with fewer, nothing is forgotten
-- returns  number of entries forgotten
local function before(a, b)
  local a1, a2 = string.match(a, '(%d+)-(%d+)')
  local b1, b2 = string.match(b, '(%d+)-(%d+)')
  a1, a2, b1, b2 = tonumber(a1), tonumber(a2), tonumber(b1), tonumber(b2)
  return a1 < b1 or (a1 == b1 and a2 < b2)
end

local function after(id)
  return (string.gsub(id, '%-(%d+)$', function(n) return '-' .. string.format('%d', n + 1) end))
end

local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups == 0 or #groups < tonumber(ARGV[2]) then
  return 0
end
local oldest
for _, group in ipairs(groups) do
  local name, last
  for i = 1, #group, 2 do
    if group[i] == 'name' then name = group[i + 1] end
    if group[i] == 'last-delivered-id' then last = group[i + 1] end
  end
  local pending = redis.call('XPENDING', KEYS[1], name, '-', '+', 1)
  local edge = pending[1] and pending[1][1]
  if not edge then
    local next_one = redis.call('XRANGE', KEYS[1], '(' .. last, '+', 'COUNT', 1)
    edge = next_one[1] and next_one[1][1] or after(last)
  end
  if not oldest or before(edge, oldest) then oldest = edge end
end

local entries = redis.call('XRANGE', KEYS[1], '-', '(' .. oldest, 'COUNT', ARGV[1])
local ids = {}
for i, entry in ipairs(entries) do
  ids[i] = entry[1]
  local fields = entry[2]
  for f = 1, #fields, 2 do
    if fields[f] == 'b' then redis.call('UNLINK', fields[f + 1]) end
    if fields[f] == 's' then redis.call('DECRBY', KEYS[2], fields[f + 1]) end
  end
end
if #ids > 0 then
  redis.call('XTRIM', KEYS[1], 'MINID', after(ids[#ids]))
end
return #ids
