-- Ends a round of sending: trims what was sent and writes the feed in the same step.
-- KEYS agenda of sends, conversation, out, feed
local sends, conversation, out, feed = unpack(KEYS)
local id, token, done_to = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local due, window = tonumber(ARGV[4]), tonumber(ARGV[5])
-- The block of the feed was made for this epoch and this end of the feed.
local epoch, last_feed, new_last_feed = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local placing, block, blocks_max = ARGV[9], ARGV[10], tonumber(ARGV[11])
local refused, newest, now = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local channel, origin, shard = ARGV[15], ARGV[16], ARGV[17]

local head = load(conversation)
if not head or head.send_token ~= token then return { 'fenced' } end
if head.send_leased == 0 then
  -- This very step was done before and its answer was lost.
  return { 'done', redis.call('LLEN', out) > 0 and 1 or 0, '0' }
end
if head.epoch ~= epoch or head.last_feed ~= last_feed then return { 'again' } end
local done = 0
for _, message in ipairs(redis.call('LRANGE', out, 0, window - 1)) do
  if tonumber(string.match(message, '^%d+')) > done_to then break end
  done = done + 1
end
if done > 0 then redis.call('LTRIM', out, done, -1) end
head.send_attempts = (done > 0 and 0 or head.send_attempts) + refused
head.send_leased = 0
local told = origin
if placing == 'replace' then
  replace_block(feed, block)
elseif placing == 'append' then
  append_block(feed, block, blocks_max)
end
if new_last_feed > head.last_feed then
  head.last_feed = new_last_feed
  told = told .. '\nf ' .. id
end
local more = redis.call('LLEN', out) > 0
-- What was committed since the claim is not put aside with what waits before it.
if head.last_out > newest then due = now end
if more then
  redis.call('ZADD', sends, number(due), id)
  told = told .. '\ns ' .. shard .. ' ' .. number(due)
else
  redis.call('ZREM', sends, id)
  due = 0
end
save(conversation, head)
if told ~= origin then hint(channel, told) end
return { 'done', more and 1 or 0, number(due) }
