-- Renews a lease. consumer, lease in ms. {'OK', 1 if `maintain` has something to do, [seq, nonce, token] of each task
-- to cancel}
local alive, is_expired = has_lease(ARGV[1])
if is_expired then return {'DUE'} end
if not alive then return {'LOST'} end
local cancelled = {}
if call('EXISTS', x) == 1 then
    local all = call('HGETALL', x)
    for n = 1, #all, 2 do
        local nonce, token, holder = string.match(all[n + 1], '^(%d+)\n(%d+)\n(.*)$')
        if holder == ARGV[1] then
            for _, number in ipairs({all[n], nonce, token}) do cancelled[#cancelled + 1] = tonumber(number) end
        end
    end
end
also = {{'ZADD', C, string.format('%d', math.min(now + tonumber(ARGV[2]), forever)), ARGV[1]}}
write_rest({})
return {'OK', (is_due() or call('EXISTS', o) == 1) and 1 or 0, cancelled}
