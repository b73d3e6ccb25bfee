-- Renews a lease.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET, sleepers ZSET, cancels HASH,
--           operations HASH, outbox HASH, ev STREAM
--      ARGV consumer, lease in ms
-- out: {'OK', 1 if `maintain` has something to do or 0, 2 more if there are operations, {[number, nonce, token] of each task
--      to be cancelled}, [name, number] of one task of each name for which no worker that looked had a handler}; DUE, LOST
-- O(log n) of consumers; O(tasks to be cancelled in the queue).
local alive, is_expired = has_lease(ARGV[1])
if is_expired then return {'DUE'} end
if not alive then return {'LOST'} end
local cancelled = {}
if call('EXISTS', keys.cancels) == 1 then
    local all = call('HGETALL', keys.cancels)
    for n = 1, #all, 2 do
        local nonce, token, holder = string.match(all[n + 1], '^(%d+)\n(%d+)\n(.*)$')
        local seq = holder == ARGV[1] and whole(all[n])
        nonce, token = whole(nonce), whole(token)
        if seq and nonce and token then
            for _, number in ipairs({seq, nonce, token}) do cancelled[#cancelled + 1] = number end
        end
    end
end
also = {{'ZADD', keys.leases, string.format('%d', math.min(now + tonumber(ARGV[2]), stored_time.never)), ARGV[1]}}
local has_work = is_due() or call('EXISTS', keys.outbox) == 1
local reply = {'OK', (has_work and 1 or 0) + 2 * call('EXISTS', keys.operations), cancelled}
if call('EXISTS', keys.unclaimed) == 1 then
    local from = '-'
    for n = 1, most_kept.unclaimed_names do
        local member = call('ZRANGEBYLEX', keys.unclaimed, from, '+', 'LIMIT', 0, 1)[1]
        if not member then break end
        local name = string.match(member, '^[^%z]*')
        local seq = whole(string.sub(member, -unclaimed_tail.number))
        if seq then
            reply[#reply + 1] = name
            reply[#reply + 1] = seq
        end
        from = '(' .. name .. '\1'
    end
end
write_rest({})
return reply
