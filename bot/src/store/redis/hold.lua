-- A job that one replica at a time has: taken when nobody has it or its time is over, kept by its holder.
-- KEYS job
local holder, now, until_ = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('HMGET', KEYS[1], 'holder', 'until', 'token')
local token = tonumber(found[3]) or 0
if found[1] ~= holder then
  if found[1] and tonumber(found[2]) > now then return 0 end
  token = token + 1
end
-- The token outlives its holder, so that it only rises.
redis.call('HSET', KEYS[1], 'holder', holder, 'until', number(until_), 'token', number(token))
return token
