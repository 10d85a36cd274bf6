-- Stands before the scripts that read or write a feed: blocks one after the other in a string, each with its length behind it.
local LENGTH_BYTES = 4

-- Where the block begins that ends at `last`, and where it ends.
local function block_before(key, last)
  local length = redis.call('GETRANGE', key, last - LENGTH_BYTES, last - 1)
  local ends = last - LENGTH_BYTES
  return ends - struct.unpack('>I4', length), ends
end

local function last_block(key)
  local bytes = redis.call('STRLEN', key)
  if bytes == 0 then return '', 0 end
  local first, ends = block_before(key, bytes)
  return redis.call('GETRANGE', key, first, ends - 1), first
end

local function measured(block)
  return block .. struct.pack('>I4', #block)
end

-- The last block is written again with more in it.
local function replace_block(key, block)
  local _, first = last_block(key)
  local before = first > 0 and redis.call('GETRANGE', key, 0, first - 1) or ''
  redis.call('SET', key, before .. measured(block))
end

-- Another block; the oldest go when there are more than `max`.
local function append_block(key, block, max)
  local bytes = redis.call('APPEND', key, measured(block))
  local first = bytes
  for _ = 1, max do
    if first == 0 then return end
    first = block_before(key, first)
  end
  if first > 0 then redis.call('SET', key, redis.call('GETRANGE', key, first, -1)) end
end
