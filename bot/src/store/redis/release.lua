-- The holder lets its job go, so that another need not wait for the time to be over.
-- KEYS job
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', '0')
return 1
