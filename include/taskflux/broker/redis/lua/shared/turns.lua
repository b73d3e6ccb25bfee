-- Keys take turns. Those that have a task which may start stand in `turns`; those that a limit holds back do not, so that
-- nobody looks at them before that has changed.

-- Functions, made when a script first has to do with keys.
local made_turns = nil
local function turns_of_keys()
    if made_turns then return made_turns end
    local limits_known = {}  -- by their texts
    local each_rule = nil  -- texts: of each key, and whether some have one of their own
    local in_turn = {}  -- keys of which it is known
    local starts_known = nil  -- how many keys have a rate that remembers them

    -- What limits a key, read once, or as it is `stated` by this script; false: nothing.
    -- `next_at`: when its next start is due, as in shared/admission.lua.
    local function rule_of(of)
        if of.rule ~= nil then return of.rule end
        each_rule = each_rule or call('HMGET', keys.queue, 'each', 'own')
        local text, next_at = each_rule[1] or '', nil
        local known = of.stated or each_rule[2] and call('HMGET', keys.key_rules, 'd' .. of.name, 'l' .. of.name)
        if known then
            for n = 1, 2 do  -- a damaged one counts as none
                local since, own = string.match(known[n] or '', '^(%d+) (%d* %d* %d* %d*)\n')
                if whole(since) and select(5, limit_in(own)) then text = own end
            end
        end
        limits_known[text] = limits_known[text] or {limit_in(text)}
        local most, many, span, ahead = unpack(limits_known[text], 1, 4)
        of.rule = false
        if most or many then of.rule = {most = most or math.huge} end
        if many then
            next_at = moment(call('HGET', keys.key_starts, of.name) or nil)
            local every = span / many
            local early = every * (ahead - 1)
            if not next_at or not is_time(next_at) then next_at = now end
            if next_at > now + early + every + rate_slack.error then next_at = now + early end
            if next_at <= now - math.min(every, rate_slack.late) then next_at = now end
            of.rule.every, of.rule.early, of.rule.ahead, of.rule.next_at = every, early, ahead, next_at
        end
        return of.rule
    end

    -- How many more tasks of a key may start now; and when a rate lets one start, where it is only for that that none may.
    local function room_of(of)
        local rule = rule_of(of)
        if not rule then return math.huge end
        local places = math.huge
        if rule.most < math.huge then
            of.ran = of.ran or call('ZLEXCOUNT', keys.keyed, '[' .. key_letter.running .. of.name .. '\0',
                                    '(' .. key_letter.running .. of.name .. '\1')
            places = math.max(rule.most - math.max(of.ran + of.running, 0), 0)
        end
        if not rule.every then return places end
        local left = now + rule.early - rule.next_at + rate_slack.error
        local may = left < 0 and 0 or math.min(math.floor(left / rule.every) + 1, rule.ahead)
        return math.min(places, may), may == 0 and places > 0 and math.max(now + 1, math.ceil(rule.next_at - rule.early)) or nil
    end

    local function start_by_key(of)
        local rule = rule_of(of)
        if rule and rule.every then rule.next_at, of.is_paced = rule.next_at + rule.every, true end
    end

    -- Up to so many stored members of the tasks of a key that wait, behind `from`.
    local function waiting_of(of, from, most)
        if of.short_waiting then
            local at, found = 1, {}
            for n, member in ipairs(of.short_waiting) do
                if member == from then at = n + 1 end
            end
            for n = at, math.min(at + most - 1, #of.short_waiting) do found[#found + 1] = of.short_waiting[n] end
            return found
        end
        return call('ZRANGEBYLEX', keys.keyed, from and '(' .. from or '[' .. key_letter.waiting .. of.name .. '\0',
                    '(' .. key_letter.waiting .. of.name .. '\1', 'LIMIT', 0, most)
    end

    -- What was read for `fetch` says it, as far as it goes: `of.page`, and `of.is_last` where there are no more.
    local function has_waiting(of)
        if of.waiting > 0 then return true end
        for n = math.max(of.at or 1, 1), #(of.page or {}) do
            if sorted_sets[keys.keyed][of.page[n]] ~= false then return true end
        end
        if of.is_last then return false end
        for _, member in ipairs(waiting_of(of, nil, of.removed + 1)) do
            if sorted_sets[keys.keyed][member] ~= false then return true end
        end
        return false
    end

    local last_turn = nil
    local function next_turn()
        if not last_turn then
            local last = call('ZRANGE', keys.turns, bound.numbers, 0, 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
            last_turn = whole(last[2] or 0) or 0
        end
        last_turn = last_turn + 1
        return last_turn
    end

    local function look_again(of, at)
        sorted_sets[keys.turn_times][of.name] = at or false
        if at then touched[0] = math.min(touched[0], at) end
    end

    -- Whether a key has a turn: of all that have changed, by one command.
    local function has_turn(of)
        if of.turn ~= nil then return of.turn end
        if in_turn[of.name] then return true end
        local all, names = {}, {}
        for _, one in ipairs(touched) do
            if (one.is_changed or one == of) and #all < bound.words then all[#all + 1] = one end
        end
        if all[#all] ~= of then all[#all + 1] = of end
        for n, one in ipairs(all) do names[n] = one.name end
        for n, turn in ipairs(call('ZMSCORE', keys.turns, unpack(names))) do all[n].turn = turn and true or false end
        return of.turn
    end

    -- Where a key belongs, now that something about it has changed.
    local function place_key(of)
        local rule = rule_of(of)
        of.is_changed = false
        if not rule and of.fresh == 0 and of.removed == 0 and not of.is_visited and not of.is_due and not of.passed then
            return
        end
        local works, room, opens = has_waiting(of), room_of(of)
        local was_full = rule and of.ran and of.ran >= rule.most  -- then it has no turn
        local has_passed = place_passed(of, room)
        if works and room > 0 then
            if of.is_visited or was_full or not has_turn(of) then
                sorted_sets[keys.turns][of.name] = next_turn()
                if not of.is_visited then ready = ready + math.max(of.fresh, 1) end
            else
                ready = ready + of.fresh
            end
        elseif not was_full or of.is_visited or of.is_due then
            sorted_sets[keys.turns][of.name] = false
        end
        of.fresh, of.is_visited, works = 0, false, works or has_passed
        if not rule or not rule.every then
            if of.is_due then
                look_again(of)
                starts_known = starts_known or call('HLEN', keys.key_starts)  -- of a rate that it has no longer
                if starts_known > 0 then also[#also + 1] = {'HDEL', keys.key_starts, of.name} end
            end
            return
        end
        local is_over = not works and rule.next_at <= now
        if is_over then also[#also + 1] = {'HDEL', keys.key_starts, of.name}
        elseif of.is_paced then
            also[#also + 1] = {'HSET', keys.key_starts, of.name, string.format('%.4f', rule.next_at)}
        end
        look_again(of, works and opens or not works and not is_over and math.ceil(rule.next_at) or nil)
    end

    local function place_keys()
        for _, of in ipairs(touched) do
            if of.is_changed then place_key(of) end
        end
        if next(newly_shown) then call_those_who_know(newly_shown, 2) end
    end

    -- Reads what `fetch` hands out first of keys that have a turn: so many of each, by two commands for all their tasks.
    local function read_ahead(names, most)
        local each, seqs = math.ceil(most / math.max(#names, 1)), {}
        for _, name in ipairs(names) do
            local of = name ~= '' and most > 0 and touch(name)
            if of and not of.page and room_of(of) >= 1 then
                of.size, of.at, most = math.min(each + 1, bound.key_page), 0, most - 1
                of.page = waiting_of(of, nil, of.size)
                of.is_last = #of.page < of.size
                for n = 1, math.min(each, #of.page) do
                    seqs[#seqs + 1] = whole(string.sub(of.page[n], -unclaimed_tail.number))
                end
            end
        end
        load(seqs, true)
    end

    -- For `fetch`: the keys whose time has come, which `place` then puts where they belong.
    local function keys_come()
        local come = call('ZRANGE', keys.turn_times, '-inf', now, 'BYSCORE', 'LIMIT', 0, bound.keys)
        for _, name in ipairs(come) do touch(name).is_due = true end
        touched[-1] = true
        return come
    end

    -- For `fetch`: keys whose time has come, and those in the order of their turns; '' for the tasks without a key. None where
    -- no task that has a key may start. `is_part`: there are more keys, and those here may all turn out to have nothing.
    local function turns_of(most, come)
        local list, known = {}, {}
        local function add(names)
            for _, name in ipairs(names) do
                if not known[name] then list[#list + 1] = name end
                known[name] = true
            end
        end
        -- Damaged ones, which would starve, come first.
        add(call('ZRANGE', keys.turns, bound.numbers, '+inf', 'BYSCORE', 'LIMIT', 0, bound.keys))
        add(call('ZRANGE', keys.turns, 0, most))
        for name in pairs(known) do in_turn[name] = true end
        list.is_part = #list > most and call('ZCARD', keys.turns) > #list
        add(come)
        if #list > 0 and not known[''] then
            if time_of(keys.turns, '') then list[#list + 1] = '' else table.insert(list, 1, '') end
        end
        return list
    end

    -- When it is the turn of the tasks without a key next, as long as a key has one: behind all that had one if they had
    -- theirs, and otherwise as before. Gives whether a key has one.
    local function place_plain(list, had_turn)
        if #list == 0 then return end
        local known = time_of(keys.turns, '')
        local left = call('ZCARD', keys.turns) - (known and 1 or 0)
        for name, turn in pairs(sorted_sets[keys.turns]) do  -- of keys that have been touched
            local is_there = has_turn(touched[name])
            if turn and not is_there then left = left + 1 elseif not turn and is_there then left = left - 1 end
        end
        if left < 1 then sorted_sets[keys.turns][''] = false
        elseif had_turn or not known then sorted_sets[keys.turns][''] = next_turn() end
        return left > 0
    end

    made_turns = {
        come = keys_come, of = turns_of, place = place_keys, place_plain = place_plain, room_of = room_of, start = start_by_key,
        waiting_of = waiting_of, read_ahead = read_ahead,
    }
    return made_turns
end
