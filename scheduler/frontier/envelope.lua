-- Library. Messages that only a script can word, because only it knows what happened.
--
-- say(type, source, time, crawl, id, data)  publish one message; data is JSON of its payload
-- The time is RFC 3339; after a blank follows the traceparent of the message that led here, where that is traced.
local function say(type, source, time, crawl, id, data)
  local blank = string.find(time, ' ', 1, true)
  if blank then time = string.sub(time, 1, blank - 1) .. '","traceparent":"' .. string.sub(time, blank + 1) end
  local text = '{"specversion":"1.0","datacontenttype":"application/json","source":"' .. source
    .. '","type":"' .. type .. '","time":"' .. time .. '","crawl":"' .. crawl .. '","correlationid":"' .. crawl
    .. '","dataversion":1,"id":' .. cjson.encode(id) .. ',"data":' .. data .. '}'
  return redis.call('XADD', stream_key(type), '*', 'e', text)
end

-- next_version(crawl)  the version of the next event of the crawl's own life, to be said with `life_id`
local function next_version(crawl)
  return redis.call('HINCRBY', crawl_key(crawl), 'version', 1)
end

local function life_id(crawl, version)
  return crawl .. '.v' .. version
end

-- cease(crawl, state)  the crawl has ended: nobody issues its URLs any more, its name is free, its memory may go
local function cease(crawl, state)
  redis.call('HSET', crawl_key(crawl), 'state', state)
  redis.call('ZREM', turns_key, crawl)
  local name = redis.call('HGET', crawl_key(crawl), 'name')
  if redis.call('HGET', names_key, name) == crawl then redis.call('HDEL', names_key, name) end
  if state == 'cancelled' then redis.call('UNLINK', due_key(crawl), retries_key(crawl)) end
  redis.call('SADD', forgetting_key, crawl)
end

-- go_or_rest(crawl, state)  the crawl is running or paused from here on
local function go_or_rest(crawl, state)
  redis.call('HSET', crawl_key(crawl), 'state', state)
  if state == 'running' then
    redis.call('ZADD', turns_key, 0, crawl)
  else
    redis.call('ZREM', turns_key, crawl)
  end
end

-- say_end(crawl, source, time)  say that the crawl was cancelled, or has finished with these counts
local function say_end(crawl, source, time)
  local f = redis.call('HMGET', crawl_key(crawl), 'state', 'fetched', 'failed', 'excluded')
  local version = next_version(crawl)
  local id = life_id(crawl, version)
  if f[1] == 'cancelled' then
    say('crawl.cancelled', source, time, crawl, id, '{"version":' .. version .. '}')
  else
    say('crawl.finished', source, time, crawl, id, string.format(
      '{"version":%d,"fetched":%d,"failed":%d,"excluded":%d}', version, int(f[2]), int(f[3]), int(f[4])))
  end
end

-- finish(crawl, source, time)  end the crawl if every URL has its outcome and every page was read
local function finish(crawl, source, time)
  local key = crawl_key(crawl)
  local f = redis.call('HMGET', key, 'state', 'unfinished', 'hold', 'restoring')
  if (f[1] ~= 'running' and f[1] ~= 'paused') or int(f[2]) > 0 or int(f[3]) > 0 or f[4] then
    return false
  end
  cease(crawl, 'finished')
  say_end(crawl, source, time)
  return true
end

-- answer(list, crawl, refused, resumed)  tell whoever sent a command which crawl it speaks of, and why it was refused
local function answer(list, crawl, refused, resumed)
  local version = int(redis.call('HGET', crawl_key(crawl), 'version'))
  redis.call('RPUSH', list, cjson.encode({crawl = crawl, refused = refused, resumed = resumed, version = version}))
  redis.call('PEXPIRE', list, 600000)
end

-- why_not(crawl, expected)  why a command that expects this version (or any: '') is refused, or nil
local function why_not(crawl, expected)
  local version = int(redis.call('HGET', crawl_key(crawl), 'version'))
  if expected == '' or tonumber(expected) == version then return nil end
  return 'the crawl has gone on meanwhile: it is at version ' .. version .. ', not ' .. expected
end
