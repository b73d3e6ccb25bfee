-- The order in which tasks have become ready, for those that peek. A task that waits from its submission on stands at its
-- number. One that was held, scheduled, retried or given back stands at a number of its own, the next one that the queue gives.
-- These are kept as long as somebody asks for the order, so that queues in which nobody peeks have none.

-- The order that is kept: which one, and until when; nothing where none is.
local function kept_order(stated)
    local order, till = string.match(stated or '', '^(%d+) (%d+)$')
    till = whole(till) or 0
    if till > now then return order, till end
end

-- Gives places to the tasks that have become ready in this script, and takes those back of tasks that go.
local function place_arrivals()
    if #erased > 0 and call('EXISTS', keys.arrivals) == 1 then
        for _, seq in ipairs(erased) do sorted_sets[keys.arrivals][padded(seq)] = false end
    end
    if #arrived == 0 then return end
    local stated, last = unpack(call('HMGET', keys.queue, 'peeked', 'seq'))
    last = whole(last)
    if not kept_order(stated) or not last then return end
    for _, command in ipairs(also) do  -- numbers that this script has given
        if command[2] == keys.queue and command[3] == 'seq' then last = whole(command[4]) or last end
    end
    for n, seq in ipairs(arrived) do
        if tasks[seq] then sorted_sets[keys.arrivals][padded(seq)] = last + n end
    end
    also[#also + 1] = {'HSET', keys.queue, 'seq', string.format('%d', last + #arrived)}
end
