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

local function stored_operation(id)
    local text = call('HGET', keys.operations, id)
    return text and unpack_operation(text)
end

-- As callers get it.
local function operation_row(id, of)
    return {
        id, of.verb, of.filter, of.by, of.reason, of.carrier, of.dry, of.state, of.began, of.ended, of.from, of.next, of.looked,
        of.matched, of.done, of.refused,
    }
end
