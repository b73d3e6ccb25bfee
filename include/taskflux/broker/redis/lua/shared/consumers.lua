-- Consumers: their leases, and what they hold.

-- Whether a consumer has a lease, and whether one has ended about which nothing has been done yet.
local function has_lease(consumer)
    local till = time_of(keys.leases, consumer) or stored_time.never + 1
    return till > now and till <= stored_time.never, till <= now
end

-- Whether a consumer has a lease and none has ended: by one command where its own ends first.
local function all_leases_last(consumer)
    local first = call('ZRANGE', keys.leases, 0, 0, 'WITHSCORES')
    if (whole(first[2]) or 0) <= now then return false end
    return first[1] == consumer or (time_of(keys.leases, consumer) or 0) > now
end

-- When the first lease of another consumer ends.
local function end_of_other_lease(consumer)
    local first = call('ZRANGE', keys.leases, 0, 1, 'WITHSCORES')
    return whole(first[first[1] == consumer and 4 or 2]) or stored_time.never
end

-- So many consumers go. Where none is left nothing runs, whatever was counted: what has been damaged while it ran takes a place
-- of a limit no longer.
local function count_none_running(gone)
    if gone == 0 or call('ZCARD', keys.leases) > gone then return end
    counts[task_state.running] = -(whole(call('HGET', keys.queue, counter.running)) or 0)
end

local function is_held_by(task, consumer)
    return task and task.state == task_state.running and task.holder == consumer
end

-- The numbers that a consumer holds, newest first, so that giving all back keeps their order.
local function held_by(consumer)
    local seqs = {}
    local members = redis.pcall('SMEMBERS', key(own_key.held .. consumer))
    if members.err then
        set_aside(own_key.held .. consumer, members.err)
        members = {}
    end
    for _, member in ipairs(members) do
        if string.byte(member) == first_byte.segment then
            local of = open_segment(string.sub(member, 2)) or {first = 0, count = 0}
            for seq = of.first, of.first + of.count - 1 do
                local hold = of.holds[code_of(of, seq)]
                if hold and hold.consumer == consumer then seqs[#seqs + 1] = seq end
            end
        else
            seqs[#seqs + 1] = whole(member)
        end
    end
    table.sort(seqs, function(left, right) return left > right end)
    return seqs
end
