-- Operations: what is done to all tasks that a filter is for, step by step, and how far each has come. A table each, packed.

-- Nil where it is damaged.
local function unpack_operation(text)
    local is_whole, of = pcall(cmsgpack.unpack, text)
    if not is_whole or type(of) ~= 'table' then return nil end
    for _, name in ipairs({'state', 'began', 'ended', 'from', 'next', 'looked', 'matched', 'done', 'refused'}) do
        if not whole(of[name]) then return nil end
    end
    for _, name in ipairs({'verb', 'filter', 'by', 'reason', 'dry', 'carrier'}) do
        if type(of[name]) ~= 'string' then return nil end
    end
    return of
end

-- Nothing where there is none; one that can't be read stays as it is.
local function stored_operation(id)
    local text = call('HGET', keys.operations, id) or call('HGET', keys.ended_operations, id)
    local of = text and unpack_operation(text)
    if text and not of then
        error('operation ' .. id .. ' is damaged: take another id, or delete that field of ' .. keys.operations .. ' and ' ..
                  keys.ended_operations)
    end
    return of
end

-- Those that have ended and go when one more is kept: dry runs first, then the oldest.
local function outdated_operations()
    local all, ended, out = call('HGETALL', keys.ended_operations), {}, {}
    for n = 1, #all, 2 do
        local of = unpack_operation(all[n + 1])
        if of then ended[#ended + 1] = {all[n], of.dry == '' and of.ended or 0} end
    end
    table.sort(ended, function(one, other) return one[2] < other[2] end)
    for n = 1, #ended - most_operations.ended + 1 do out[n] = ended[n][1] end
    return out
end

-- As callers get it.
local function operation_row(id, of)
    return {
        id, of.verb, of.filter, of.by, of.reason, of.carrier, of.dry, of.state, of.began, of.ended, of.from, of.next, of.looked,
        of.matched, of.done, of.refused,
    }
end
