-- Stands before every script: how a conversation lies in its string, and the hint to other replicas.
-- First the head, counters and fences in fixed places (0 is "none" for times); then the packed snapshot; then the marks of accepted event ids.
local FIELDS = {
  'version', 'rev', 'epoch', 'turn_token', 'send_token', 'last_letter', 'read_to', 'last_out',
  'last_feed', 'unread_since', 'turn_leased', 'send_leased', 'send_attempts', 'wake_at', 'state_bytes',
}
local FORMAT = '>BI4I4I4I4I4I4I4I4I6BBI4I6I4'
local HEAD_BYTES = struct.size(FORMAT)
local MARK_BYTES = 8
local VERSION = 2
local TIME_MAX = 2 ^ 48 - 1

local function fresh()
  local head = {}
  for _, field in ipairs(FIELDS) do head[field] = 0 end
  head.version = VERSION
  return head
end

local function load(key)
  local line = redis.call('GETRANGE', key, 0, HEAD_BYTES - 1)
  if #line == 0 then return nil end
  if #line < HEAD_BYTES or string.byte(line) ~= VERSION then
    error({ err = 'TSVERSION the conversation was written by another version of the program' })
  end
  local numbers, head = { struct.unpack(FORMAT, line) }, {}
  for at, field in ipairs(FIELDS) do head[field] = numbers[at] end
  return head
end

local function line(head)
  local numbers = {}
  for at, field in ipairs(FIELDS) do numbers[at] = head[field] end
  return struct.pack(FORMAT, unpack(numbers))
end

local function save(key, head)
  redis.call('SETRANGE', key, 0, line(head))
end

-- A time as it has a place in the head: one before 1970 is none, one after all days is the last.
local function kept_time(at)
  return math.min(math.max(at, 0), TIME_MAX)
end

local function state_of(key, head)
  if head.state_bytes == 0 then return '' end
  return redis.call('GETRANGE', key, HEAD_BYTES, HEAD_BYTES + head.state_bytes - 1)
end

local function marks_of(key, head)
  return redis.call('GETRANGE', key, HEAD_BYTES + head.state_bytes, -1)
end

local function number(value)
  return string.format('%.0f', value)
end

-- Losing a hint costs a poll, so a refusal (a user without the channel's permission) fails nothing.
local function hint(channel, text)
  redis.pcall('PUBLISH', channel, text)
end
