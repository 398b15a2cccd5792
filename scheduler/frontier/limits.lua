-- Library. What a host's refusals mean for it, kept in its hash: for all crawls, and for the next one.
-- (with clock.lua, keys.lua, pace.lua)
--
--   pace    ms between starts, most   requests at once: whoever issues or sends goes by them
--   learnt  the rest of the state of pace.lua;  refuses_since (ms)   refusal   the word for it
-- learn_refusal(host, learnt, now, sent, block, gap, per_host, before, word)  it refused: the ms to leave it alone, or
--                        nil where that was no news. `before`: so often the same URL was refused already
-- learn_answer(host, learnt, now, sent, is_slow, gap)   it answered
local OWN_MATTER = 3 -- refusals of one URL, the host being well, that are its own matter (its end: politeness.py)
local FIELDS = {'pace', 'first', 'peak', 'good', 'eased_at', 'most', 'row'}

local function learnt_of(text)
  local s, n = {}, 0
  for word in string.gmatch(text or '', '%S+') do
    n = n + 1
    s[FIELDS[n]] = tonumber(word)
  end
  for _, name in ipairs(FIELDS) do s[name] = s[name] or 0 end
  return s
end

local function keep(host, s)
  local words = {}
  for i, name in ipairs(FIELDS) do words[i] = string.format('%.3f', s[name]) end
  redis.call('HSET', host_key(host), 'pace', whole(s.pace), 'most', whole(s.most), 'learnt', table.concat(words, ' '))
end

local function learn_refusal(host, learnt, now, sent, block, gap, per_host, before, word)
  local s = learnt_of(learnt)
  if s.row == 0 and before >= OWN_MATTER then return end
  -- While it is left alone nothing is sent, so what comes now was sent, or tried to connect, before.
  if s.row > 0 and now < block then return end
  if not refused(s, now, sent, gap, per_host) then return end
  keep(host, s)
  if s.row == 1 then redis.call('HSET', host_key(host), 'refuses_since', whole(now)) end
  redis.call('HSET', host_key(host), 'refusal', word)
  return pause_of(s)
end

local function learn_answer(host, learnt, now, sent, is_slow, gap)
  local s = learnt_of(learnt)
  if s.row > 0 then
    redis.call('HDEL', host_key(host), 'refuses_since')
  end
  if is_slow then slow(s, now, sent, gap) end
  answered(s)
  if s.pace == 0 and s.most == 0 then
    redis.call('HDEL', host_key(host), 'pace', 'most', 'learnt')
  else
    keep(host, s)
  end
end
