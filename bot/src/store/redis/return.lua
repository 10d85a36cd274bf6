-- A conversation comes back from its document, unless it is here, or is away with a newer one.
-- KEYS agenda of turns, agenda of sends, conversation, box, out, feed, quiet, away
local turns, sends, conversation, box, out, feed, quiet, away = unpack(KEYS)
local id, mark, age = ARGV[1], ARGV[2], ARGV[3]
-- Head, snapshot and marks as they lie in the string, and the feed's blocks.
local whole, blocks = ARGV[4], ARGV[5]
local now, turn_due, send_due = ARGV[6], ARGV[7], ARGV[8]
local channel, origin, shard = ARGV[9], ARGV[10], ARGV[11]
local letters = tonumber(ARGV[12])
local FIRST_ITEM = 13

if redis.call('EXISTS', conversation) == 1 then return { 'here' } end
if (redis.call('HGET', away, mark) or '') ~= age then return { 'stale' } end
redis.call('SET', conversation, whole)
if blocks ~= '' then redis.call('SET', feed, blocks) end
for at = FIRST_ITEM, #ARGV do
  redis.call('RPUSH', at < FIRST_ITEM + letters and box or out, ARGV[at])
end
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
