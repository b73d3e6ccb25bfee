-- Tasks that have a key and that others have passed over. Where their key may start some, the first of each of its names stands
-- in `unclaimed` too, and so shows workers which keys have work for them: those that are full are in nobody's way.

local function unclaimed_start(name, key) return table.concat({name, '\0', unclaimed_letter.key, key, '\0'}) end

-- By its name: the first of those of a key. In what order it comes, as priority and number.
local function first_passed(of)
    local firsts, start = {}, key_letter.passed .. of.name .. '\0'
    for name, orders in pairs(of.passed or {}) do
        for _, order in ipairs(orders) do
            local is_there = sorted_sets[keys.keyed][table.concat({start, name, '\0', order})]
            if is_there and (not firsts[name] or order < firsts[name]) then firsts[name] = order end
        end
    end
    local from, till = '[' .. start, '(' .. key_letter.passed .. of.name .. '\1'
    for _ = 1, bound.unclaimed_names do
        local members = call('ZRANGEBYLEX', keys.keyed, from, till, 'LIMIT', 0, (of.left or 0) + 1)
        if #members == 0 then break end
        for _, member in ipairs(members) do
            from = '(' .. member
            local name, order = string.match(member, '^[^%z]+%z([^%z]+)%z(%d%d%d%z%d+)$')
            if not name then
                drop_foreign(keys.keyed, member)
            elseif sorted_sets[keys.keyed][member] ~= false then
                if not firsts[name] or order < firsts[name] then firsts[name] = order end
                from = '(' .. start .. name .. '\1'
                break
            end
        end
    end
    return firsts
end

-- Shows what others have passed over of a key that has room for so many, or hides it; gives whether there is any.
local some_passed, newly_shown = nil, {}
local function place_passed(of, room)
    if some_passed == nil then
        some_passed = call('ZRANGEBYLEX', keys.keyed, '[' .. key_letter.passed, '(' .. key_letter.waiting, 'LIMIT', 0, 1)[1]
        some_passed = some_passed ~= nil
    end
    if not of.passed and not some_passed then return false end
    local firsts, names = first_passed(of), {}
    for _, those in ipairs({firsts, of.passed or {}}) do
        for name in pairs(those) do names[name] = true end
    end
    of.shown = of.shown or {}
    for name in pairs(names) do
        local start = unclaimed_start(name, of.name)
        local wanted = room >= 1 and firsts[name] and start .. firsts[name]
        local till = '(' .. string.sub(start, 1, -2) .. '\1'
        local known = call('ZRANGEBYLEX', keys.unclaimed, '[' .. start, till, 'LIMIT', 0, bound.looked_after)
        known[#known + 1] = of.shown[name]
        for _, member in ipairs(known) do sorted_sets[keys.unclaimed][member] = false end
        of.shown[name] = wanted or nil
        if wanted then
            sorted_sets[keys.unclaimed][wanted] = 0
            if #known == 0 or of.passed and of.passed[name] then newly_shown[name] = true end
        end
    end
    return next(firsts) ~= nil
end

-- For `fetch`: tasks that others have passed over, whose keys have room for them, and of which this consumer knows the names
-- (nil: all). `is_part`: there may be more. Empty where there are none.
local function passed_tasks(most, names, last, room_of, waiting_of)
    local keys_of, names_of, next_key, made = {}, {}, 1, {}
    local function add(members)
        made.is_part = made.is_part or #members == most
        for _, member in ipairs(members) do
            local name, key = string.match(member, '^([^%z]+)%z' .. unclaimed_letter.key .. '([^%z]+)%z')
            if name and (not names or names[name]) then
                if not names_of[key] then
                    names_of[key] = {}
                    keys_of[#keys_of + 1] = key
                end
                names_of[key][name] = true
            end
        end
        return #members
    end
    if not names then add(call('ZRANGE', keys.unclaimed, 0, bound.claimable - 1)) end
    for name in pairs(names or {}) do  -- those first that come behind the key that was last
        local start = name .. '\0' .. unclaimed_letter.key
        local till, from = '(' .. name .. '\0' .. unclaimed_letter.behind, start .. last .. '\1'
        local many = add(call('ZRANGEBYLEX', keys.unclaimed, '[' .. from, till, 'LIMIT', 0, most))
        if many < most then add(call('ZRANGEBYLEX', keys.unclaimed, '[' .. start, '(' .. from, 'LIMIT', 0, most - many)) end
    end
    if #keys_of == 0 then return made end
    table.sort(keys_of, function(left, right)
        if (left > last) ~= (right > last) then return left > last end
        return left < right
    end)

    local function read_those(of)
        local found = {}
        of.passed, of.passed_at = of.passed or {}, 1
        for name in pairs(names_of[of.name]) do
            local start, many = table.concat({key_letter.passed, of.name, '\0', name}), math.min(most, bound.key_page)
            local members = call('ZRANGEBYLEX', keys.keyed, '[' .. start .. '\0', '(' .. start .. '\1', 'LIMIT', 0, many)
            made.is_part, of.passed[name] = made.is_part or #members == many, of.passed[name] or {}
            for _, member in ipairs(members) do
                found[#found + 1] = {
                    member = member, order = string.sub(member, -unclaimed_tail.order),
                    seq = whole(string.sub(member, -unclaimed_tail.number)) or 0
                }
            end
        end
        table.sort(found, function(left, right) return left.order < right.order end)
        local seqs = {}
        for n, one in ipairs(found) do seqs[n] = one.seq end
        load(seqs, true)
        of.those = found
    end

    -- The next of a key, where it comes before `order` (nil: whatever it is).
    local function next_passed(of, order)
        if not names_of[of.name] or room_of(of) < 1 then return nil end
        if not of.those then read_those(of) end
        while of.those[of.passed_at] do
            local one = of.those[of.passed_at]
            local task = tasks[one.seq]
            if task and task.state == task_state.waiting and task.unclaimed and key_of(task) == of.name then
                return not (order and order < one.order) and task or nil, task ~= nil
            end
            of.passed_at = of.passed_at + 1
            if not task or task.state ~= task_state.running then  -- a remnant
                sorted_sets[keys.keyed][one.member], of.left, of.is_changed = false, (of.left or 0) + 1, true
                if is_set_aside(one.seq) then
                    count('u', -1)
                    count(task_state.waiting, -1)
                end
            end
        end
    end

    -- Whether one of those that nobody has passed over comes first in its key.
    local function is_behind(task)
        local of = touch(info(task).key)
        local first = waiting_of(of, nil, 1)[1]
        return first and sorted_sets[keys.keyed][first] ~= false and
                   string.sub(first, -unclaimed_tail.order) < of.those[of.passed_at].order
    end

    -- The same of all keys, which take turns.
    local function first_in_turn(order)
        while #keys_of > 0 do
            if next_key > #keys_of then next_key = 1 end
            local task, is_there = next_passed(touch(keys_of[next_key]), order)
            if (task or is_there) and not (task and is_behind(task)) then return task end
            table.remove(keys_of, next_key)
        end
    end

    -- One of that key has had the turn.
    local function take_turn(key)
        next_key, touch(key).passed_at = next_key + 1, touch(key).passed_at + 1
        also[#also + 1] = {'HSET', keys.queue, 'passed', key}
    end

    made.of, made.first, made.take = next_passed, first_in_turn, take_turn
    return made
end
