-- Renews the lease of work that is still running.
-- KEYS agenda, conversation
local agenda, conversation = unpack(KEYS)
local queue, id, token = ARGV[1], ARGV[2], tonumber(ARGV[3])

local head = load(conversation)
if not head or head[queue .. '_token'] ~= token or head[queue .. '_leased'] == 0 then return { 'fenced' } end
redis.call('ZADD', agenda, ARGV[4], id)
return { 'done' }
