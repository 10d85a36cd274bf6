-- Leases one conversation of a queue if it is due: raises its token and pushes it back by the lease.
-- KEYS agenda, conversation, list (box or out), and for sending feed
local agenda, conversation, list, feed = unpack(KEYS)
local queue, id = ARGV[1], ARGV[2]
local now, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
local max, window = tonumber(ARGV[5]), tonumber(ARGV[6])

local due = redis.call('ZSCORE', agenda, id)
if not due or tonumber(due) > now then return {} end
local head = load(conversation)
if not head then
  redis.call('ZREM', agenda, id)
  return {}
end
if queue == 'turn' then
  redis.call('ZADD', agenda, number(now + lease), id)
  head.turn_token = head.turn_token + 1
  head.turn_leased = 1
  save(conversation, head)
  return { line(head), state_of(conversation, head), redis.call('LRANGE', list, 0, max - 1) }
end
-- The bot's messages of older epochs are not to leave; they go with what is settled around them.
local found = redis.call('LRANGE', list, 0, window - 1)
local leaving = {}
for _, message in ipairs(found) do
  local bot, epoch = string.match(message, '^%d+ (%d) (%d+) ')
  if #leaving < max and not (bot == '1' and tonumber(epoch) < head.epoch) then
    leaving[#leaving + 1] = message
  end
end
if #leaving == 0 then
  redis.call('LTRIM', list, #found, -1)
  if redis.call('LLEN', list) > 0 then
    redis.call('ZADD', agenda, number(now), id)
  else
    redis.call('ZREM', agenda, id)
  end
  return {}
end
redis.call('ZADD', agenda, number(now + lease), id)
head.send_token = head.send_token + 1
head.send_leased = 1
save(conversation, head)
return { line(head), (last_block(feed)), leaving }
