-- Takes a letter: dedupe mark, letter and agenda entry together, or nothing.
-- KEYS agenda, conversation, box, seen, journal, out, away
local agenda, conversation, box, seen, journal, out, away = unpack(KEYS)
local id, mark, letter = ARGV[1], ARGV[2], ARGV[3]
local at, quiet, quiet_max = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local box_max, journal_max, out_max = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local seen_max, seen_ms = tonumber(ARGV[10]), ARGV[11]
local away_mark = ARGV[12]
local channel, origin, shard = ARGV[13], ARGV[14], ARGV[15]

if redis.call('LPOS', seen, mark) then return { 'repeated' } end
if redis.call('XLEN', journal) >= journal_max
  or redis.call('LLEN', box) >= box_max
  or redis.call('LLEN', out) >= out_max then
  return { 'full' }
end
local head = load(conversation)
if not head then
  -- Who was put away comes back first, so that nobody begins anew who was here before.
  local age = redis.call('HGET', away, away_mark)
  if age then return { 'away', age } end
  head = fresh()
end
redis.call('RPUSH', box, letter)
if redis.call('RPUSH', seen, mark) > seen_max then redis.call('LTRIM', seen, -seen_max, -1) end
redis.call('PEXPIRE', seen, seen_ms)
head.last_letter = head.last_letter + 1
if head.unread_since == 0 then head.unread_since = at end
local due = 0
if head.turn_leased == 0 then
  due = math.min(at + quiet, math.max(head.unread_since + quiet_max, at))
  -- A wake time that comes sooner stands.
  if head.wake_at > 0 then due = math.min(due, head.wake_at) end
  redis.call('ZADD', agenda, number(due), id)
  hint(channel, origin .. '\nt ' .. shard .. ' ' .. number(due))
end
save(conversation, head)
return { 'new', head.last_letter, number(due) }
