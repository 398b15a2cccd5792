-- Stands before another script, which runs only if the server remembers the same hand-overs as who makes them. It does
-- not after a failover that has lost some of them. Takes what is its own off the end of KEYS and ARGV.
--
-- KEYS[#KEYS]      the witness (string): number of the latest hand-over
-- ARGV[#ARGV - 2]  the number that must stand there, or '': any
-- ARGV[#ARGV - 1]  the number of this hand-over
-- ARGV[#ARGV]      its life in ms
-- returns          -1 if it stands otherwise: then nothing has happened; else what the other script returns
local witness = table.remove(KEYS)
local life, number, expected = table.remove(ARGV), table.remove(ARGV), table.remove(ARGV)
if expected ~= '' and redis.call('GET', witness) ~= expected then return -1 end
redis.call('SET', witness, number, 'PX', life)
