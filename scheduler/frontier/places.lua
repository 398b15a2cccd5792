-- Library. The places (hosts or domains) that a crawl's seeds have brought into its scope.
--
-- widen(crawl, places)  add places, a JSON list of texts
local function widen(crawl, places)
  for _, place in ipairs(cjson.decode(places)) do
    redis.call('SADD', places_key(crawl), place)
  end
  redis.call('HSET', crawl_key(crawl), 'places', redis.call('SCARD', places_key(crawl)))
end
