-- Runs every command of the steps once on a key that is gone afterwards; for `tiansheng doctor`.
-- KEYS a key of nobody
local key = KEYS[1]
redis.call('DEL', key)
redis.call('HSET', key, 'head', '')
redis.call('HGET', key, 'head')
redis.call('DEL', key)
redis.call('RPUSH', key, 'a')
redis.call('LPOS', key, 'a')
redis.call('LSET', key, -1, 'b')
redis.call('LINDEX', key, -1)
redis.call('LRANGE', key, 0, 0)
redis.call('LLEN', key)
redis.call('LTRIM', key, 0, 0)
redis.call('PEXPIRE', key, 1000)
redis.call('DEL', key)
redis.call('ZADD', key, 1, 'a')
redis.call('ZSCORE', key, 'a')
redis.call('ZREM', key, 'a')
redis.call('XADD', key, '*', 'a', 'b')
redis.call('XLEN', key)
redis.call('XTRIM', key, 'MINID', '0')
redis.call('DEL', key)
return { 'done' }
