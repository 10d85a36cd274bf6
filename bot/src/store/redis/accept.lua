-- Takes a letter: dedupe mark, letter and agenda entry together, or nothing.
-- KEYS agenda, conversation, box, journal, out, away
local agenda, conversation, box, journal, out, away = unpack(KEYS)
local id, mark, letter = ARGV[1], ARGV[2], ARGV[3]
local at, quiet, quiet_max = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local box_max, journal_max, out_max = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local marks_max = tonumber(ARGV[10]) * MARK_BYTES
local away_mark = ARGV[11]
local channel, origin, shard = ARGV[12], ARGV[13], ARGV[14]

-- A mark is found only where one begins.
local function has(marks)
  local from = 1
  while true do
    local found = string.find(marks, mark, from, true)
    if not found then return false end
    if (found - 1) % MARK_BYTES == 0 then return true end
    from = found + 1
  end
end

local head, marks = load(conversation), ''
if head then
  marks = marks_of(conversation, head)
  if has(marks) then return { 'repeated' } end
else
  -- Who was put away comes back first, so that nobody begins anew who was here before.
  local age = redis.call('HGET', away, away_mark)
  if age then return { 'away', age } end
  head = fresh()
end
if redis.call('XLEN', journal) >= journal_max then return { 'full' } end
if redis.call('LLEN', box) >= box_max or redis.call('LLEN', out) >= out_max then
  return { 'crowded' }
end
redis.call('RPUSH', box, letter)
head.last_letter = head.last_letter + 1
if head.unread_since == 0 then head.unread_since = kept_time(at) end
local due = 0
if head.turn_leased == 0 then
  due = math.min(at + quiet, math.max(head.unread_since + quiet_max, at))
  -- A wake time that comes sooner stands.
  if head.wake_at > 0 then due = math.min(due, head.wake_at) end
  redis.call('ZADD', agenda, number(due), id)
  hint(channel, origin .. '\nt ' .. shard .. ' ' .. number(due))
end
if #marks < marks_max then
  save(conversation, head)
  redis.call('APPEND', conversation, mark)
else
  local newest = string.sub(marks, MARK_BYTES - marks_max) .. mark
  redis.call('SET', conversation, line(head) .. state_of(conversation, head) .. newest)
end
return { 'new', head.last_letter, number(due) }
