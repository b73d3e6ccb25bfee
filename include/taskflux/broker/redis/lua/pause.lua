-- Pauses (1) or resumes (0) the queue.
if ARGV[1] == '1' then
    also = {{'HSET', c, 'paused', '1'}}
else
    also = {{'HDEL', c, 'paused'}}
    wakes = math.min(tonumber(call('HGET', c, 'n' .. WAITING) or 0), 8)
end
return commit({'OK'})
