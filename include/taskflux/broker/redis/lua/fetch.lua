-- Hands out tasks of any kind.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV consumer, how many at most, channel to be woken by ('': none), sleeper, signature of the names, 1: what is due was
--           done in part and holds this up no longer ('': all of it comes first), names ('any': none)
-- out: {'OK', now in ms, 1 if there is more to look at, 2 if something is due, or 0, when something will fall due or -1,
--      [number, record, state] of each}; also [0, what, why] of corrupt data that was met, and [0, '', as `maintain` tells of
--      them] of tasks that have failed here; DUE, LOST, NEED, RELAY
-- O(log n) a task; at most 100 tasks of unknown names are passed over in a call.
local consumer, most = ARGV[1], tonumber(ARGV[2])
local has_due = due(keys.scheduled) or due(keys.limited) or due(keys.leases)
do
    local alive, is_expired = has_lease(consumer)
    local is_behind = ARGV[6] == '1'
    if is_expired and not is_behind then return {'DUE'} end
    if not alive then return {'LOST'} end
    if has_due and not is_behind then return {'DUE'} end
end
local names
if #ARGV > 6 then
    names = {}
    for n = 7, #ARGV do names[ARGV[n]] = true end
end
if ARGV[3] ~= '' then myself = table.concat({ARGV[3], ARGV[4], ARGV[5]}, '\n') end

local _, lanes, watcher, watching, sifting, sift_since, sifted, sift_took, last_passed
most, _, lanes, watcher, watching, sifting, sift_since, sifted, sift_took, last_passed =
    admit(most, 'lanes', 'watcher', 'watching', 'sift', 'sift_since', 'sifted', 'sift_took', 'passed')
if gate and gate.damage then set_aside('limit', gate.damage) end
local found, aside, all, budget = {}, {}, lanes_of(lanes), bound.passed_over
local has_keyed = call('EXISTS', keys.keyed, keys.short_keys, keys.turn_times) > 0
if #missing > 0 then return {'NEED', unpack(missing)} end

-- Hands out what it can. Gives the keys whose turns there are, whether tasks have gone to their keys, which may start now, and
-- whether the tasks without a key have had their turn.
-- In a function, as this and what follows it, since there is room for 200 names at once outside of one.
local function hand_out()
    local claimable = most > 0 and claimable_by(names, most) or {}
    local next_claimable = 1
    local passed = has_keyed and most > 0 and
                       passed_tasks(most, names, last_passed or '', turns_of_keys()) or {}

    -- Passes a task over that this consumer does not know.
    local function pass_over(task)
        budget = budget - 1
        aside[info(task).name] = true
        task.in_turn = false
        changed[task.seq] = true
        set_unclaimed(task, true)
    end

    -- A task that has a key is to start by its key, whatever brought it here.
    local is_moved = false
    local function leave_to_key(task)
        budget, is_moved, changed[task.seq] = budget - 1, true, true
        by_key(task, key_letter.waiting, true)
    end

    -- Hands a task out; one whose time is over, though `maintain` has not come to it, is given up.
    local function deliver(task)
        if limit(task) <= now then
            budget = budget - 1
            give_up(task)
            return note_failed(task)
        end
        local key_name = key_of(task)
        if task.unclaimed then set_unclaimed(task, false) elseif key_name then by_key(task, key_letter.waiting, false) end
        if key_name then turns_of_keys().start(touch(key_name)) end
        forget_limit(task)
        enter(task, task_state.running)
        task.deliveries, task.started, task.first_try, task.holder = task.deliveries + 1, now, task.first == 0, consumer
        if task.first_try then task.first = now end
        task.packed = pack_state(task)
        tell_of('started', task, consumer)
        found[#found + 1] = task
        fits(#task.record)
        if answered_bytes > bound.answer then budget = 0 end  -- it asks again
    end

    local current = 1
    -- Hands out one of the tasks that wait in lanes, or that others have passed over; false where there is none.
    local function take_plain()
        local before = #found
        while #found == before and budget > 0 do
            local of = all[current]
            local task = of and first_in(of, most - #found)
            if of and not task then
                current = current + 1
            else
                local other = claimable[next_claimable]
                local order = of and string.format('%03d\0%s', stored_base.priority - of.priority, padded(task.seq))
                if other and of and other.order > order then other = nil end
                local first = other and other.order or order
                local keyed_task = passed.first and passed.first(first)
                if keyed_task then
                    passed.take(info(keyed_task).key)
                    deliver(keyed_task)
                elseif other then
                    next_claimable = next_claimable + 1
                    load({other.seq}, true)
                    local passed_over = tasks[other.seq]
                    if passed_over and passed_over.state == task_state.waiting and passed_over.unclaimed then
                        if key_of(passed_over) then  -- an older program's
                            set_unclaimed(passed_over, false)
                            leave_to_key(passed_over)
                        else
                            deliver(passed_over)
                        end
                    else
                        sorted_sets[keys.unclaimed][other.member] = false
                        if is_set_aside(other.seq) then
                            count('u', -1)
                            count(task_state.waiting, -1)
                        end
                    end
                elseif not of then
                    return false
                else
                    drop_first(of)
                    if key_of(task) then
                        leave_to_key(task)
                    elseif not names or names[name_in(task.record)] then
                        task.in_turn = true  -- it is out of the lane by `drop_first`
                        deliver(task)
                    else
                        pass_over(task)
                    end
                end
            end
        end
        return #found > before
    end

    -- Hands out the next task of a key; false where there is none, or no room.
    local function take_keyed(name)
        local of, before = touch(name), #found
        of.is_visited, of.page, of.at = true, of.page or {}, of.at or 0
        while #found == before and budget > 0 do
            if turns_of_keys().room_of(of) < 1 then return false end
            of.at = of.at + 1
            if not of.page[of.at] and not of.is_last then
                of.size = math.min((of.size or 0) * 2 + 1, most - #found, bound.key_page)
                of.page, of.at = turns_of_keys().waiting_of(of, of.page[of.at - 1], of.size), 1
                of.is_last = #of.page < of.size
                local seqs = {}
                for _, member in ipairs(of.page) do
                    seqs[#seqs + 1] = whole(string.sub(member, -unclaimed_tail.number))
                end
                load(seqs, true)
            end
            local member = of.page[of.at]
            if not member then
                local left = passed.of and passed.of(of)
                if not left then return false end
                of.at = of.at - 1
                passed.drop(of)
                deliver(left)
                return #found > before
            end
            local seq = whole(string.sub(member, -unclaimed_tail.number))
            if seq then load({seq}, true) end
            local task = seq and tasks[seq]
            if not task or task.state ~= task_state.waiting or task.unclaimed or key_of(task) ~= name or
                keyed_member(key_letter.waiting, task) ~= member then
                budget, of.removed = budget - 1, of.removed + 1
                sorted_sets[keys.keyed][member] = false
                if seq and is_set_aside(seq) then count(task_state.waiting, -1) end
            elseif sorted_sets[keys.keyed][member] ~= false then
                local earlier = passed.of and passed.of(of, string.sub(member, -unclaimed_tail.order))
                if earlier then
                    of.at = of.at - 1
                    passed.drop(of)
                    deliver(earlier)
                elseif not names or names[info(task).name] then
                    deliver(task)
                else
                    by_key(task, key_letter.waiting, false)
                    pass_over(task)
                end
            end
        end
        return #found > before
    end

    local come = has_keyed and turns_of_keys().come() or {}
    local turns, turn = has_keyed and most > 0 and turns_of_keys().of(most, come) or {}, 1
    local round, had_turn = {unpack(turns)}, false
    if #turns > 0 then turns_of_keys().read_ahead(turns, most) end
    if passed.read_ahead then passed.read_ahead(turns) end
    while #round > 0 and #found < most and budget > 0 do
        local is_plain = round[turn] == ''
        local is_taken
        if is_plain then is_taken = take_plain() else is_taken = take_keyed(round[turn]) end
        had_turn = had_turn or is_plain and (is_taken or budget > 0)
        if is_taken then turn = turn + 1 else table.remove(round, turn) end
        if turn > #round then turn = 1 end
    end
    while #turns == 0 and #found < most and budget > 0 and take_plain() do end
    is_moved = is_moved or (turns.is_part or passed.is_part or #come == bound.keys) and #found < most
    return turns, is_moved, had_turn
end

local function answer(turns, is_moved, had_turn)
    local due_next = gate and gate.start(#found)
    if due_next then also[#also + 1] = {'HSET', keys.queue, 'tat', due_next} end
    local sleeping = call('ZCARD', keys.sleepers) > 0
    local is_left = false
    for _, of in ipairs(all) do
        if of.taken > 0 then also[#also + 1] = {'LTRIM', of.name, of.taken, -1} end
        is_left = is_left or sleeping and not of.is_foreign and call('LLEN', of.name) > of.taken
    end
    if sleeping and next(aside) then call_those_who_know(aside, bound.asked_sleepers) end
    local made_ready = ready
    if has_keyed then
        is_moved = go_on_sifting(sifting, sift_since, sifted, sift_took) or is_moved
        turns_of_keys().place()
        is_left = turns_of_keys().place_plain(turns, had_turn) and sleeping or is_left
    end
    local is_more = #found < most and (budget == 0 or is_moved or ready > made_ready)
    local soonest = leave_behind(consumer, sleeping, #found > 0 or is_more or has_due, is_left, watcher, watching,
                                 ARGV[5], names and table.concat(ARGV, '\n', 7))
    local reply = {'OK', now, is_more and 1 or has_due and 2 or 0, soonest}
    for _, task in ipairs(found) do
        append(held_add, consumer, task.seq)
        reply[#reply + 1] = task.seq
        reply[#reply + 1] = task.record
        reply[#reply + 1] = task.packed
    end
    for what, why in pairs(damage) do
        reply[#reply + 1] = 0
        reply[#reply + 1] = tostring(what)
        reply[#reply + 1] = why
    end
    if #dead_letters > 0 then
        reply[#reply + 1] = 0
        reply[#reply + 1] = ''
        reply[#reply + 1] = dead_letters
    end
    return commit(reply)
end
return answer(hand_out())
