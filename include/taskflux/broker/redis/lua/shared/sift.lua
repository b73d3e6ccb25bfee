-- A look at all keys, part by part.

-- Takes out what is stored as running of a full key and does not run; gives at how many it has looked.
local function drop_ended(of)
    local start, seqs = key_letter.running .. of.name, {}
    local members = of.short_running or call('ZRANGEBYLEX', keys.keyed, '[' .. start .. '\0', '(' .. start .. '\1',
                                             'LIMIT', 0, bound.looked_after)
    for n, member in ipairs(members) do seqs[n] = whole(string.sub(member, -unclaimed_tail.number)) or 0 end
    load(seqs)
    for n, member in ipairs(members) do
        local task = tasks[seqs[n]]
        local runs = task and task.state == task_state.running and task.holder ~= ''
        if not runs and sorted_sets[keys.keyed][member] ~= false then
            sorted_sets[keys.keyed][member] = false
            of.running = of.running - 1
        end
    end
    return #members
end

-- Looks at keys that have the short form, from a cursor of HSCAN on: those that are not in their place, or of which something
-- is stored as running that does not run, take the other form. Gives where to go on.
local function sift_short(cursor, most)
    local found = call('HSCAN', keys.short_keys, string.match(cursor, '^%d+$') or '0', 'COUNT', most)
    local names, runs, all = {}, {}, {}
    for n = 1, #found[2], 2 do
        local name, text = found[2][n], found[2][n + 1]
        names[#names + 1] = name
        local many, ran = lengths_in(text)
        runs[name] = {ran = ran, waits = many > ran, is_odd = #text ~= place_in(many + 1) - 1 or ran ~= string.byte(text)}
        for n = 1, ran do
            local _, seq = struct.unpack(format.short_task, text, place_in(n))
            runs[name][n], all[#all + 1] = seq, seq
        end
    end
    load(all)
    local turns = #names > 0 and call('ZMSCORE', keys.turns, unpack(names)) or {}
    for n, name in ipairs(names) do
        local one = runs[name]
        for _, seq in ipairs(one) do
            local task = tasks[seq]
            one.is_odd = one.is_odd or not (task and task.state == task_state.running and task.holder ~= '')
        end
        local room = turns_of_keys().room_of({name = name, ran = one.ran, running = 0})
        if one.is_odd or (one.waits and room >= 1) ~= (turns[n] and true or false) then
            if most < 1 then return key_letter.short .. cursor end  -- those that are looked at now will not be found again
            local of = touch(name)
            of.is_due, most = true, most - 1
            if one.is_odd then most = most - drop_ended(of) end
        end
    end
    return found[1] == '0' and key_letter.waiting or key_letter.short .. found[1]
end

-- Looks at keys that have waiting tasks, and then, name by name, at those that others have passed over, from `cursor` on: their
-- limits have changed, or what is stored may have been damaged. Where a key is full, those that don't run any more make room.
-- Keys and running tasks together are as many as `most` says, and a few. Gives where to go on; nil at the end.
local function sift_keys(cursor, most)
    if string.sub(cursor, 1, 1) == key_letter.short then return sift_short(string.sub(cursor, 2), most) end
    while most > 0 do
        local is_passed = string.sub(cursor, 1, 1) == key_letter.passed
        local till = '(' .. (is_passed and key_letter.behind_passed or key_letter.behind_waiting)
        local member = call('ZRANGEBYLEX', keys.keyed, '(' .. cursor, till, 'LIMIT', 0, 1)[1]
        if not member and is_passed then return nil end
        if not member then
            cursor = key_letter.passed
        else
            local form = is_passed and '^.([^%z]+)%z([^%z]+)%z%d%d%d%z%d+$' or '^.([^%z]+)%z()%d%d%d%z%d+$'
            local key_name, name = string.match(member, form)
            most, cursor = most - 1, member
            if not key_name then
                drop_foreign(keys.keyed, member)
            else
                local of = touch(key_name)
                if is_passed then
                    of.passed = of.passed or {}
                    of.passed[name] = of.passed[name] or {}
                end
                cursor = string.sub(member, 1, 1) .. key_name .. (is_passed and '\0' .. name or '') .. '\1'
                of.is_due = true
                if turns_of_keys().room_of(of) < 1 then most = most - drop_ended(of) end
            end
        end
    end
    return cursor
end

-- Whether time alone is a reason for a look at all keys, where the last one ended then and took so long.
local function is_sift_due(ended, took)
    ended, took = whole(ended) or 0, whole(took) or 0
    return ended > now or now - ended >= math.min(math.max(bound.watched_ahead_ms, bound.sift_rests * took), bound.sift_rest_ms)
end

-- Goes on with the look at all keys that a changed limit or time has begun: `cursor` is how far it has come, `since` when time
-- has begun it, `ended` when the last one ended, and `took` how long one was that time had begun: the longer, the rarer. Gives
-- whether the caller should look again at once, which only a changed limit is worth.
local function go_on_sifting(cursor, since, ended, took)
    since = cursor and whole(since)
    if not cursor and not is_sift_due(ended, took) then return false end
    if not cursor then
        since = now
        also[#also + 1] = {'HSET', keys.queue, 'sift_since', string.format('%d', now)}
    end
    local till = sift_keys(cursor or key_letter.short, bound.keys)
    if till then
        also[#also + 1] = {'HSET', keys.queue, 'sift', till}
        return not since
    end
    also[#also + 1] = {'HDEL', keys.queue, 'sift', 'sift_since'}
    also[#also + 1] = {'HSET', keys.queue, 'sifted', string.format('%d', now)}
    if since then also[#also + 1] = {'HSET', keys.queue, 'sift_took', string.format('%d', math.max(now - since, 0))} end
    return false
end
