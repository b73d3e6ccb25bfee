-- Deadlines and expiry.

-- When the task is given up unless it has started (or, after a first try, ended) by then.
local function limit(task)
    if not task.special then return stored_time.never end
    local of = info(task)
    local from = task.from > 0 and task.from or of.submitted
    local till = stored_time.never
    if of.deadline > 0 then till = from + of.deadline end
    if of.expires_in > 0 and task.first == 0 then till = math.min(till, from + of.expires_in) end
    return till
end

local function watch_limit(task)
    local till = limit(task)
    if till < stored_time.never then sorted_sets[keys.limited][padded(task.seq)] = till end
end

local function forget_limit(task)
    if task.special and limit(task) < stored_time.never then sorted_sets[keys.limited][padded(task.seq)] = false end
end
