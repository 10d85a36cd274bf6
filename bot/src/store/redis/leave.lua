-- A quiet conversation leaves, if it is as it was when its document was written and nothing of it is due.
-- KEYS agenda of turns, agenda of sends, conversation, box, out, feed, quiet, away
local turns, sends, conversation, box, out, feed, quiet, away = unpack(KEYS)
local id, mark, age, expected, again = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local there = redis.call('GETRANGE', conversation, 0, HEAD_BYTES - 1)
if #there == 0 then
  redis.call('ZREM', quiet, id)
  return { 'gone' }
end
if there ~= expected or redis.call('ZSCORE', turns, id) or redis.call('ZSCORE', sends, id) then
  -- Looked at again later.
  redis.call('ZADD', quiet, again, id)
  return { 'busy' }
end
redis.call('DEL', conversation, box, out, feed)
redis.call('ZREM', quiet, id)
redis.call('HSET', away, mark, age)
return { 'left' }
