-- One use against a rate that all replicas share (the generic cell rate algorithm): 0, or the wait in milliseconds.
-- KEYS rate
local now, every, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = free + every - now - every * burst
-- Parts of a millisecond count: an interval need not be a whole one.
if wait > 0 then return math.ceil(wait) end
local ends = free + every
redis.call('SET', KEYS[1], string.format('%.3f', ends), 'PX', math.max(1, math.ceil(ends - now)))
return 0
