-- Error groups: what has failed alike. Each is a table, packed: task, code, type, signature, first, last, failed, retried,
-- samples (number:nonce), nodes, and of each window how many failed in which of its steps.

local windows = {
    {'hour', period_ms.five_minutes, 12}, {'day', period_ms.hour, 24}, {'week', period_ms.day, 7},
}

-- Nil where it is damaged.
local function unpack_group(text)
    local is_whole, of = pcall(cmsgpack.unpack, text)
    if not is_whole or type(of) ~= 'table' then return nil end
    for _, name in ipairs({'first', 'last', 'failed', 'retried'}) do
        if type(of[name]) ~= 'number' then return nil end
    end
    for _, name in ipairs({'hour', 'day', 'week', 'samples', 'nodes'}) do
        if type(of[name]) ~= 'table' then return nil end
    end
    return of
end
