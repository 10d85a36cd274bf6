-- What waits to leave is due now, unless it is being sent.
-- KEYS agenda of sends, conversation
local sends, conversation = unpack(KEYS)
local id, now, channel, origin, shard = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local head = load(conversation)
local due = redis.call('ZSCORE', sends, id)
if not head or head.send_leased == 1 or not due or tonumber(due) <= tonumber(now) then return { 'done', '0' } end
redis.call('ZADD', sends, now, id)
hint(channel, origin .. '\ns ' .. shard .. ' ' .. now)
return { 'done', now }
