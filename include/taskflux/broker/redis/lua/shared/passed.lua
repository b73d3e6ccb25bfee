-- Tasks that have a key and that others have passed over. Where their key may start some, the first of each of its names stands
-- in `unclaimed` too, and so shows workers which keys have work for them: those that are full are in nobody's way.

local function unclaimed_start(name, key) return table.concat({name, '\0', unclaimed_letter.key, key, '\0'}) end

-- Whether others have passed over any task that has a key.
local function are_some_passed()
    if touched[-3] == nil then
        local from, till = '[' .. key_letter.passed, '(' .. key_letter.behind_passed
        touched[-3] = call('ZRANGEBYLEX', keys.keyed, from, till, 'LIMIT', 0, 1)[1] ~= nil
    end
    return touched[-3]
end

-- By its name: the first of those of a key. In what order it comes, as priority and number. Of very many names those that have
-- changed are among them.
local function first_passed(of)
    local firsts, start = {}, key_letter.passed .. of.name .. '\0'
    for name, orders in pairs(of.passed or {}) do
        for _, order in ipairs(orders) do
            local is_there = sorted_sets[keys.keyed][table.concat({start, name, '\0', order})]
            if is_there and (not firsts[name] or order < firsts[name]) then firsts[name] = order end
        end
    end
    -- Sees the first one; gives where the next name begins, nil at the end.
    local function see(from, till)
        local members = call('ZRANGEBYLEX', keys.keyed, from, till, 'LIMIT', 0, (of.left or 0) + 1)
        for _, member in ipairs(members) do
            from = '(' .. member
            local name, order = string.match(member, '^[^%z]+%z([^%z]+)%z(%d%d%d%z%d+)$')
            if not name then
                drop_foreign(keys.keyed, member)
            elseif sorted_sets[keys.keyed][member] ~= false then
                if not firsts[name] or order < firsts[name] then firsts[name] = order end
                return '(' .. start .. name .. '\1'
            end
        end
        return #members > 0 and from or nil
    end
    local from, till = '[' .. start, '(' .. key_letter.passed .. of.name .. '\1'
    for _ = 1, bound.unclaimed_names do from = from and see(from, till) end
    for name in pairs(from and of.passed or {}) do see('[' .. start .. name .. '\0', '(' .. start .. name .. '\1') end
    return firsts
end

-- Shows what others have passed over of a key that has room for so many, or hides it; gives whether there is any.
local newly_shown = {}
local function place_passed(of, room)
    if not of.passed and not are_some_passed() then return false end
    local firsts, names = first_passed(of), {}
    for _, those in ipairs({firsts, of.passed or {}}) do
        for name in pairs(those) do names[name] = true end
    end
    of.shown = of.shown or {}
    for name in pairs(names) do
        local start, is_new = unclaimed_start(name, of.name), of.passed and #(of.passed[name] or {}) > 0
        local wanted = room >= 1 and firsts[name] and start .. firsts[name]
        local till = '(' .. string.sub(start, 1, -2) .. '\1'
        local known, is_known = call('ZRANGEBYLEX', keys.unclaimed, '[' .. start, till, 'LIMIT', 0, bound.looked_after), false
        known[#known + 1] = of.shown[name]
        for _, member in ipairs(known) do
            is_known = is_known or member == wanted
            sorted_sets[keys.unclaimed][member] = false
        end
        of.shown[name] = wanted or nil
        if wanted then
            sorted_sets[keys.unclaimed][wanted] = 0
            if is_new or not is_known then newly_shown[name] = true end
        end
    end
    return next(firsts) ~= nil
end
