-- A look at all keys, part by part.

-- Takes out what is stored as running of a full key and does not run; gives at how many it has looked.
local function drop_ended(of)
    local start = key_letter.running .. of.name
    local members, seqs = call('ZRANGEBYLEX', keys.keyed, '[' .. start .. '\0', '(' .. start .. '\1', 'LIMIT', 0,
                               bound.looked_after), {}
    for n, member in ipairs(members) do seqs[n] = whole(string.sub(member, -unclaimed_tail.number)) or 0 end
    load(seqs)
    for n, member in ipairs(members) do
        local task = tasks[seqs[n]]
        if not (task and task.state == task_state.running) and sorted_sets[keys.keyed][member] == nil then
            sorted_sets[keys.keyed][member] = false
            of.running = of.running - 1
        end
    end
    return #members
end

-- Looks at keys that have waiting tasks, from `cursor` on, wherever they stand: their limits have changed, or what is
-- stored may have been damaged. Where a key is full, those that don't run any more make room. Keys and running tasks
-- together are as many as `most` says, and a few. Gives where to go on; nil at the end.
local function sift_keys(cursor, most)
    while most > 0 do
        local member = call('ZRANGEBYLEX', keys.keyed, '(' .. cursor, '(' .. key_letter.behind, 'LIMIT', 0, 1)[1]
        if not member then return nil end
        local letter = string.sub(member, 1, 1)
        local name = string.match(member, letter == key_letter.passed and '^.([^%z]+)%z[^%z]+%z%d%d%d%z%d+$' or
                                              '^.([^%z]+)%z%d%d%d%z%d+$')
        most = most - 1
        if not name then
            drop_foreign(keys.keyed, member)
            cursor = member
        else
            local of = touch(name)
            of.is_due, cursor = true, letter .. name .. '\1'
            if turns_of_keys().room_of(of) < 1 then most = most - drop_ended(of) end
        end
    end
    return cursor
end
