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
        if not (task and task.state == task_state.running and task.holder ~= '') and sorted_sets[keys.keyed][member] == nil then
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

-- Goes on with the look at all keys that a changed limit or time has begun: `cursor` is how far it has come, `since` when time
-- has begun it, `ended` when the last one ended, and `took` how long one was that time had begun: the longer, the rarer. Gives
-- whether the caller should look again at once, which only a changed limit is worth.
local function go_on_sifting(cursor, since, ended, took)
    since, ended, took = cursor and whole(since), whole(ended) or 0, whole(took) or 0
    local rest = math.max(bound.watched_ahead_ms, bound.sift_rests * took)
    if not cursor and ended <= now and now - ended < rest then return false end
    if not cursor then
        since = now
        also[#also + 1] = {'HSET', keys.queue, 'sift_since', string.format('%d', now)}
    end
    local till = sift_keys(cursor or key_letter.passed, bound.keys)
    if till then
        also[#also + 1] = {'HSET', keys.queue, 'sift', till}
        return not since
    end
    also[#also + 1] = {'HDEL', keys.queue, 'sift', 'sift_since'}
    also[#also + 1] = {'HSET', keys.queue, 'sifted', string.format('%d', now)}
    if since then also[#also + 1] = {'HSET', keys.queue, 'sift_took', string.format('%d', math.max(now - since, 0))} end
    return false
end
