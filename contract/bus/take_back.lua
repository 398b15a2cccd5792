-- Take a command back that its stage has not been given yet; once it has been given, it is carried out.
--
-- KEYS[1]  stream
-- ARGV[1]  group
-- ARGV[2]  how the command's id stands in its envelope
-- returns  1, or 0 where it is not there any more, or was given to a consumer
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local after = '-'
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  if about.name == ARGV[1] then after = '(' .. about['last-delivered-id'] end
end
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], after, '+')) do
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'e' and string.find(entry[2][i + 1], ARGV[2], 1, true) then
      return redis.call('XDEL', KEYS[1], entry[1])
    end
  end
end
return 0
