-- Stands before every script: a conversation's counters and fences, and the hint to other replicas.
-- The head is one line of numbers in the field `head`; 0 is "none" for times.
local FIELDS = {
  'version', 'rev', 'epoch', 'turn_token', 'send_token', 'last_letter', 'read_to', 'last_out',
  'last_feed', 'unread_since', 'turn_leased', 'send_leased', 'send_attempts', 'wake_at',
}
local VERSION = 1

local function fresh()
  local head = {}
  for _, field in ipairs(FIELDS) do head[field] = 0 end
  head.version = VERSION
  return head
end

local function load(key)
  local line = redis.call('HGET', key, 'head')
  if not line then return nil end
  local head, at = fresh(), 0
  for number in string.gmatch(line, '%d+') do
    at = at + 1
    if FIELDS[at] then head[FIELDS[at]] = tonumber(number) end
  end
  if head.version ~= VERSION then
    error({ err = 'TSVERSION the conversation was written by another version of the program' })
  end
  return head
end

local function line(head)
  local numbers = {}
  for at, field in ipairs(FIELDS) do numbers[at] = string.format('%.0f', head[field]) end
  return table.concat(numbers, ' ')
end

local function save(key, head)
  redis.call('HSET', key, 'head', line(head))
end

local function number(value)
  return string.format('%.0f', value)
end

-- Losing a hint costs a poll, so a refusal (a user without the channel's permission) fails nothing.
local function hint(channel, text)
  redis.pcall('PUBLISH', channel, text)
end
