-- Library. Messages that only a script can word, because only it knows what happened.
--
-- say(type, source, time, crawl, id, data)  publish one message; data is JSON of its payload
local function say(type, source, time, crawl, id, data)
  local text = '{"specversion":"1.0","datacontenttype":"application/json","source":"' .. source
    .. '","type":"' .. type .. '","time":"' .. time .. '","crawl":"' .. crawl .. '","correlationid":"' .. crawl
    .. '","dataversion":1,"id":' .. cjson.encode(id) .. ',"data":' .. data .. '}'
  return redis.call('XADD', stream_key(type), '*', 'e', text)
end

-- finish(crawl, source, time)  end the crawl if every URL has its outcome and every page was read
local function finish(crawl, source, time)
  local key = crawl_key(crawl)
  local f = redis.call('HMGET', key, 'state', 'unfinished', 'hold', 'fetched', 'failed', 'excluded', 'name')
  if (f[1] ~= 'running' and f[1] ~= 'paused') or int(f[2]) > 0 or int(f[3]) > 0 then
    return false
  end
  redis.call('HSET', key, 'state', 'finished')
  redis.call('ZREM', turns_key, crawl)
  redis.call('HDEL', names_key, f[7])
  redis.call('SADD', forgetting_key, crawl)
  say('crawl.finished', source, time, crawl, crawl .. '.finished', string.format(
    '{"fetched":%d,"failed":%d,"excluded":%d}', int(f[4]), int(f[5]), int(f[6])))
  return true
end

-- answer(list, crawl, refused)  tell whoever sent a command which crawl it speaks of, and why it was refused if it was
local function answer(list, crawl, refused)
  redis.call('RPUSH', list, cjson.encode({crawl = crawl, refused = refused}))
  redis.call('PEXPIRE', list, 600000)
end
