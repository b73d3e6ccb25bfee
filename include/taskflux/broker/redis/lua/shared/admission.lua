-- The gate before every start: how many tasks may start now, and if not more, why. Every script that hands tasks out, or
-- wakes somebody who would fetch them, asks here; nothing else reads whether the queue is paused. One HMGET, for the gate and
-- what its caller needs of the same hash.

-- How many of `most` tasks may start now; why not more, or nil when nothing holds them back; and the values of these fields
-- of `keys.queue`.
local function admit(most, ...)
    local found = call('HMGET', keys.queue, 'paused', ...)
    if found[1] then return 0, 'paused', unpack(found, 2) end
    return most, nil, unpack(found, 2)
end
