-- Keeps a fact where what is kept is still what the caller saw; one that is over still lies there for a while and counts as nothing.
-- KEYS fact
local was_seen, seen, value = ARGV[1] == '1', ARGV[2], ARGV[3]
local now, until_, kept_ms = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local there = redis.call('GET', KEYS[1])
local kept_until, kept
if there then
  kept_until, kept = string.match(there, '^(-?%d+) (.*)$')
  if tonumber(kept_until) <= now then kept = nil end
end
local is_seen = kept == nil
if was_seen then is_seen = kept == seen end
if is_seen then
  redis.call('SET', KEYS[1], until_ .. ' ' .. value, 'PX', kept_ms)
  return 1
end
return kept == value and 1 or 0
