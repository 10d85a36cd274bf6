-- Ends a turn: trims what was read, raises the revision, writes snapshot, journal and outgoing box, sets the next due time.
-- KEYS agenda of turns, agenda of sends, conversation, box, out, journal, quiet
local turns, sends, conversation, box, out, journal, quiet = unpack(KEYS)
local id, token, read_to = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local state, epoch, wake = ARGV[4], tonumber(ARGV[5]), kept_time(tonumber(ARGV[6]))
local now, events = tonumber(ARGV[7]), ARGV[8]
local channel, origin, shard = ARGV[9], ARGV[10], ARGV[11]
local FIRST_OUT = 12

local head = load(conversation)
if not head or head.turn_token ~= token or read_to > head.last_letter then return { 'fenced' } end
if head.turn_leased == 0 then
  -- This very step was done before and its answer was lost.
  return { 'done', head.rev, head.read_to < head.last_letter and 1 or 0, '0', '0' }
end
if read_to > head.read_to then
  redis.call('LTRIM', box, read_to - head.read_to, -1)
  head.read_to = read_to
end
head.rev = head.rev + 1
head.turn_leased = 0
head.wake_at = wake
head.epoch = math.max(head.epoch, epoch)
local marks = marks_of(conversation, head)
head.state_bytes = #state
redis.call('ZADD', quiet, number(now), id)
-- The server's own ids rise also after a failover or a restore, so the records never pass over a new entry.
redis.call('XADD', journal, '*', 'c', id, 'r', head.rev, 't', number(now), 'e', events)
for at = FIRST_OUT, #ARGV do
  head.last_out = head.last_out + 1
  redis.call('RPUSH', out, head.last_out .. ' ' .. ARGV[at])
end
local told = origin .. '\nj'
local send_due = 0
-- What waits behind a closed window or a refusal is looked at again with what is new.
local waits = redis.call('ZSCORE', sends, id)
if #ARGV >= FIRST_OUT and head.send_leased == 0 and (not waits or tonumber(waits) > now) then
  send_due = now
  redis.call('ZADD', sends, number(now), id)
  told = told .. '\ns ' .. shard .. ' ' .. number(now)
end
local more = head.read_to < head.last_letter
head.unread_since = more and kept_time(now) or 0
local due = more and now or wake
if due > 0 then
  redis.call('ZADD', turns, number(due), id)
  told = told .. '\nt ' .. shard .. ' ' .. number(due)
else
  redis.call('ZREM', turns, id)
end
redis.call('SET', conversation, line(head) .. state .. marks)
hint(channel, told)
return { 'done', head.rev, more and 1 or 0, number(due), number(send_due) }
