-- Moves a pointer, if it still is where the caller saw it.
-- KEYS pointer
local from, to = tonumber(ARGV[1]), ARGV[2]
local channel, origin = ARGV[3], ARGV[4]
local there = tonumber(redis.call('HGET', KEYS[1], 'number') or '0')
if there ~= from then return 0 end
redis.call('HSET', KEYS[1], 'number', number(from + 1), 'to', to)
hint(channel, origin .. '\np')
return from + 1
