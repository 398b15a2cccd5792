-- Library. The places (hosts or domains) that a crawl's seeds have brought into its scope.
--
-- widen(crawl, places)  add places, a JSON list of texts, and write down which they are by now: their number and a sum of
--                       their hashes, so that the same places have the same word in whatever order they came. The number
--                       alone is not enough: a server that lost its last seconds may have as many places, but others
local function widen(crawl, places)
  local sum = tonumber(string.match(redis.call('HGET', crawl_key(crawl), 'places') or '', '%.(%d+)$') or '0')
  for _, place in ipairs(cjson.decode(places)) do
    if redis.call('SADD', places_key(crawl), place) == 1 then
      sum = (sum + tonumber(string.sub(redis.sha1hex(place), 1, 12), 16)) % 2 ^ 48
    end
  end
  redis.call('HSET', crawl_key(crawl), 'places', string.format('%d.%.0f', redis.call('SCARD', places_key(crawl)), sum))
end
