-- Everything of a conversation, as it is at this moment; nothing if it is not here.
-- KEYS conversation, box, out, feed
local conversation, box, out, feed = unpack(KEYS)
local head = load(conversation)
if not head then return {} end
return {
  line(head),
  state_of(conversation, head),
  marks_of(conversation, head),
  redis.call('GET', feed) or '',
  redis.call('LRANGE', box, 0, -1),
  redis.call('LRANGE', out, 0, -1),
}
