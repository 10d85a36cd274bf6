-- Everything of a conversation, as it is at this moment; nothing if it is not here.
-- KEYS conversation, box, out, feed, seen
local conversation, box, out, feed, seen = unpack(KEYS)
local line = redis.call('HGET', conversation, 'head')
if not line then return {} end
load(conversation)
return {
  line,
  redis.call('HGET', conversation, 'state') or '',
  redis.call('LRANGE', box, 0, -1),
  redis.call('LRANGE', out, 0, -1),
  redis.call('LRANGE', feed, 0, -1),
  redis.call('LRANGE', seen, 0, -1),
}
