-- Turns of keys whose tasks others have passed over, as `fetch` hands these out.

-- For `fetch`: tasks that others have passed over, whose keys have room for them, and of which this consumer knows the names
-- (nil: all). What `unclaimed` shows says for which keys that don't wait for a turn of their own; in its turn a key is asked
-- itself. `is_part`: there may be more, and what was shown in vain is so no longer. Empty where there are none.
local function passed_tasks(most, names, last, turns)
    if not are_some_passed() then return {} end
    local keys_of, shown_of, hints, list, next_key, remnants, made = {}, {}, {}, {}, 1, 0, {}
    for name in pairs(names or {}) do list[#list + 1] = name end
    local from = names == nil and '-'
    while from and #list < bound.unclaimed_names do
        local member = call('ZRANGEBYLEX', keys.unclaimed, from, '+', 'LIMIT', 0, 1)[1]
        local name = member and string.match(member, '^[^%z]*')
        from, list[#list + 1] = name and '(' .. name .. '\1', name
    end

    -- Keys of a name: those first that come behind the key that was last.
    local each = math.max(most, math.ceil(bound.keys / math.max(#list, 1)))
    local is_cut = false
    for _, name in ipairs(list) do
        local start = name .. '\0' .. unclaimed_letter.key
        local till, middle = '(' .. name .. '\0' .. unclaimed_letter.behind, start .. last .. '\1'
        local members = call('ZRANGEBYLEX', keys.unclaimed, '[' .. middle, till, 'LIMIT', 0, each)
        local others = each - #members
        others = others > 0 and call('ZRANGEBYLEX', keys.unclaimed, '[' .. start, '(' .. middle, 'LIMIT', 0, others) or {}
        for _, member in ipairs(others) do members[#members + 1] = member end
        is_cut = is_cut or #members == each
        for _, member in ipairs(members) do
            local key = string.match(member, '^[^%z]+%z' .. unclaimed_letter.key .. '([^%z]+)%z')
            if key and not shown_of[key] then keys_of[#keys_of + 1], shown_of[key], hints[key] = key, {}, member end
            if key then
                append(shown_of, key, name)
                local order = string.sub(member, -unclaimed_tail.order)
                hints[key] = #shown_of[key] > 1 and hints[key] < order and hints[key] or order
            end
        end
    end
    table.sort(keys_of, function(left, right)
        if (left > last) ~= (right > last) then return left > last end
        return left < right
    end)

    -- The names of a key that this consumer knows: those of the key are gone through unless it knows fewer.
    local function names_of(of)
        local found, start = {}, key_letter.passed .. of.name .. '\0'
        local behind, till = '[' .. start, '(' .. key_letter.passed .. of.name .. '\1'
        for _ = 1, names and #list or bound.unclaimed_names do
            local member = call('ZRANGEBYLEX', keys.keyed, behind, till, 'LIMIT', 0, 1)[1]
            if not member then return found end
            local name = string.match(member, '^[^%z]+%z([^%z]+)%z')
            if name and (not names or names[name]) then found[#found + 1] = name end
            behind = '(' .. (name and start .. name .. '\1' or member)
        end
        return names and list or found
    end

    -- Reads the next of a key, up to so many; without their records.
    local function read_those(of, many)
        local found, is_open, start = {}, {}, key_letter.passed .. of.name .. '\0'
        of.passed, of.ends, of.known_names = of.passed or {}, of.ends or {}, of.known_names or names_of(of)
        for _, name in ipairs(of.known_names) do
            if of.ends[name] == nil then of.ends[name] = '[' .. start .. name .. '\0' end
            local till = '(' .. start .. name .. '\1'
            local members = of.ends[name] and call('ZRANGEBYLEX', keys.keyed, of.ends[name], till, 'LIMIT', 0, many) or {}
            is_open[name] = #members == many
            if #members > 0 then of.passed[name] = of.passed[name] or {} end
            for _, member in ipairs(members) do
                found[#found + 1] = {
                    member = member, name = name, order = string.sub(member, -unclaimed_tail.order),
                    seq = whole(string.sub(member, -unclaimed_tail.number)) or 0
                }
            end
        end
        table.sort(found, function(left, right) return left.order < right.order end)
        for n = #found, many + 1, -1 do is_open[found[n].name], found[n] = true, nil end
        for _, one in ipairs(found) do of.ends[one.name] = '(' .. one.member end
        for name, is_more in pairs(is_open) do of.ends[name] = is_more and of.ends[name] end
        of.those, of.those_at, of.many = found, 1, many
    end

    local function load_all(keys_read)
        local seqs = {}
        for _, of in ipairs(keys_read) do
            for _, one in ipairs(of.those) do seqs[#seqs + 1] = one.seq end
        end
        load(seqs, true)
    end

    -- The next of a key, where it comes before `order` (nil: whatever it is); and whether there is one.
    local function next_passed(of, order)
        local room = turns.room_of(of)
        while room >= 1 and remnants < bound.passed_over do
            if not of.those or of.those_at > #of.those then
                read_those(of, math.min(room, most, 2 * (of.many or 1), bound.key_page))
                if #of.those == 0 then return nil end
                load_all({of})
            end
            local one = of.those[of.those_at]
            local task, is_stored = tasks[one.seq], sorted_sets[keys.keyed][one.member] ~= false
            if is_stored and task and task.state == task_state.waiting and task.unclaimed and key_of(task) == of.name then
                return not (order and order < one.order) and task or nil, true
            end
            of.those_at = of.those_at + 1
            if is_stored then  -- a remnant
                remnants, of.left, of.is_changed = remnants + 1, (of.left or 0) + 1, true
                sorted_sets[keys.keyed][one.member] = false
                if is_set_aside(one.seq) then
                    count('u', -1)
                    count(task_state.waiting, -1)
                end
            end
        end
    end

    -- Whether one of those that nobody has passed over comes first in its key.
    local function is_behind(of)
        local first = turns.waiting_of(of, nil, 1)[1]
        return first and sorted_sets[keys.keyed][first] ~= false and
                   string.sub(first, -unclaimed_tail.order) < of.those[of.those_at].order
    end

    -- The same of all keys that are shown, which take turns: of the first that has one which comes before.
    function made.first(order)
        local at = next_key
        for _ = 1, #keys_of do
            if at > #keys_of then at = 1 end
            local name = keys_of[at]
            if order and order < hints[name] then
                at = at + 1
            else
                local of = touch(name)
                of.passed = of.passed or {}
                for _, known in ipairs(shown_of[name]) do of.passed[known] = of.passed[known] or {} end
                local task, is_there = next_passed(of, order)
                if is_there and not is_behind(of) then
                    next_key, hints[name] = task and at or next_key, of.those[of.those_at].order
                    if task then return task end
                    at = at + 1
                else
                    made.is_part = made.is_part or is_cut and not is_there
                    table.remove(keys_of, at)
                    if at < next_key then next_key = next_key - 1 end
                end
            end
        end
    end

    -- That key has had the turn.
    function made.take(name)
        made.drop(touch(name))
        next_key, hints[name] = next_key + 1, ''
        also[#also + 1] = {'HSET', keys.queue, 'passed', name}
    end

    -- Reads what is handed out first of these keys and of those that are shown, by two commands for all their tasks.
    function made.read_ahead(round)
        local all, known, keys_read = {}, {['']=true}, {}
        for _, those in ipairs({round, keys_of}) do
            for _, name in ipairs(those) do
                if not known[name] and #all < most then all[#all + 1] = name end
                known[name] = true
            end
        end
        for _, name in ipairs(all) do
            local of = touch(name)
            local room = turns.room_of(of)
            if room >= 1 then
                read_those(of, math.min(room, math.ceil(most / #all), bound.key_page))
                keys_read[#keys_read + 1] = of
            end
        end
        load_all(keys_read)
    end

    function made.drop(of) of.those_at = of.those_at + 1 end
    made.of = next_passed
    return made
end
