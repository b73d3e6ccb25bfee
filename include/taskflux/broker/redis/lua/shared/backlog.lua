-- How many tasks a queue may have that do not run: held, scheduled and waiting. Behind the limit in the field `paused`, also
-- while the queue is paused; only submissions add to them.

-- The answer that refuses so many new tasks where that field is `stated`; nil where there is room.
local function refusal(stated, new)
    local most = stated and whole(string.match(stated, '=%d* %d* %d* %d* (%d+)$'))
    if not is_in(1, most, limits.tasks) or new < 1 then return nil end
    local there = 0
    for _, number in ipairs(call('HMGET', keys.queue, counter.held, counter.scheduled, counter.waiting)) do
        there = there + (whole(number) or 0)
    end
    return there + new > most and {'FULL', new, there, most} or nil
end
