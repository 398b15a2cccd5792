-- Give a page that was fetched in another epoch to the parsers alone, once.
--
-- KEYS[1]  set of the crawl's pages that are still to be read
-- KEYS[2]  the parsers' own stream
-- KEYS[3]  key for the body
-- KEYS[4]  counter of body bytes
-- ARGV[1]  the page's fingerprint   ARGV[2]  raw bytes of its page.fetched   ARGV[3]  its body, or ''
-- returns  1, or 0 if it need not be read
if redis.call('SREM', KEYS[1], ARGV[1]) == 0 then return 0 end
if ARGV[3] == '' then
  redis.call('XADD', KEYS[2], '*', 'e', ARGV[2])
else
  redis.call('SET', KEYS[3], ARGV[3])
  redis.call('INCRBY', KEYS[4], #ARGV[3])
  redis.call('XADD', KEYS[2], '*', 'e', ARGV[2], 'b', KEYS[3], 's', #ARGV[3])
end
return 1
