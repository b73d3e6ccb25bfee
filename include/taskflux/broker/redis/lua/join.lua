-- Makes a consumer known, with a lease. consumer, lease in ms, inbox.
if is_due() then return {'DUE'} end
also = {{'ZADD', C, string.format('%d', math.min(now + tonumber(ARGV[2]), forever)), ARGV[1]}, {'HSET', h, ARGV[1], ARGV[2] .. ':' .. ARGV[3]}}
write_rest({})
return {'OK'}
