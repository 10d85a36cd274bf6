-- A conversation comes back from its document, unless it is here, or is away with a newer one.
-- KEYS agenda of turns, agenda of sends, conversation, box, out, feed, seen, quiet, away
local turns, sends, conversation, box, out, feed, seen, quiet, away = unpack(KEYS)
local id, mark, age, line, state = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now, turn_due, send_due, seen_ms = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local channel, origin, shard = ARGV[10], ARGV[11], ARGV[12]
local FIRST_COUNT = 13

if redis.call('EXISTS', conversation) == 1 then return { 'here' } end
if (redis.call('HGET', away, mark) or '') ~= age then return { 'stale' } end
redis.call('HSET', conversation, 'head', line)
if state ~= '' then redis.call('HSET', conversation, 'state', state) end
local at = FIRST_COUNT + 4
for which, key in ipairs({ box, out, feed, seen }) do
  local last = at + tonumber(ARGV[FIRST_COUNT + which - 1]) - 1
  for each = at, last do redis.call('RPUSH', key, ARGV[each]) end
  at = last + 1
end
redis.call('PEXPIRE', seen, seen_ms)
redis.call('HDEL', away, mark)
redis.call('ZADD', quiet, now, id)
local told = origin
if turn_due ~= '0' then
  redis.call('ZADD', turns, turn_due, id)
  told = told .. '\nt ' .. shard .. ' ' .. turn_due
end
if send_due ~= '0' then
  redis.call('ZADD', sends, send_due, id)
  told = told .. '\ns ' .. shard .. ' ' .. send_due
end
if told ~= origin then hint(channel, told) end
return { 'back' }
