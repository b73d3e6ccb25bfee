-- Tells why a task is not running.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           unique_keys HASH, successors HASH, sleepers ZSET, names HASH, segments HASH, segment_index ZSET, set_aside HASH,
--           keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, key_rules HASH, key_starts HASH, arrivals ZSET, l:… LIST,
--           a:… SET, j:… HASH
--      ARGV number, nonce
-- out: {'OK'} where there is none; {'OK', state, name, of each reason (`why_reason`): {reason, since, until, count, most, 1 if
--      these are at least so many or 0, text, names…}}; DUE, NEED
-- O(log n); at most 2,000 entries of lanes are looked at, and 100 fields of a journal.
if is_due() then return {'DUE'} end
local seq, reply = tonumber(ARGV[1]), {'OK'}
load({seq}, true)
local task = tasks[seq]
local fault = not task and (damage[seq] or call('HGET', keys.set_aside, seq))
if fault then return {'OK', task_state.waiting, '', {why_reason.damaged, 0, 0, 0, 0, 0, fault}} end
if not task or task.nonce ~= tonumber(ARGV[2]) then return reply end
reply[2], reply[3] = task.state, name_in(record_of(task))

local function give(reason, of)
    reply[#reply + 1] = {reason, of.since or 0, of.till or 0, of.count or 0, of.most or 0, of.is_at_least and 1 or 0, '',
                         unpack(of.names or {})}
end

local function give_held()
    if not is_successor(task) then return give(why_reason.held, {}) end
    local holder = unique_entry(info(task).unique)
    load({holder})
    local known = tasks[holder]
    give(why_reason.successor, {count = known and known.seq, most = known and known.nonce})
end

local function give_subtasks()
    local of, names = journal_of(task), {}
    if #missing > 0 then return end
    local page = call('HSCAN', of.key, '0', 'COUNT', bound.shown_fields)[2]
    for n = 1, #page, 2 do
        local is_open = string.byte(page[n]) == first_byte.subtask and string.byte(page[n + 1]) == first_byte.open
        if is_open and #names < bound.shown_names then names[#names + 1] = string.sub(page[n], 2) end
    end
    table.sort(names)
    give(why_reason.subtasks, {count = math.max(of.total - of.done, 0), most = of.total, names = names})
end

local function give_scheduled()
    local awaited = task.journal and journal_of(task).awaited or ''
    if awaited == sleep_mark.name then return give(why_reason.sleeping, {till = task.when}) end
    if awaited ~= '' then return give(why_reason.signal, {till = task.when, names = {awaited}}) end
    if task.first == 0 then return give(why_reason.scheduled, {till = task.when}) end
    give(why_reason.retry, {till = task.when, count = task.failed + 1})
end

-- Some workers that have tasks of the queue.
local function busy()
    local names = {}
    for _, consumer in ipairs(call('ZRANGE', keys.leases, 0, bound.shown_names - 1)) do
        local held = redis.pcall('SCARD', key(own_key.held .. consumer))
        if held ~= 0 then names[#names + 1] = consumer end
    end
    return names
end

local function give_gate(running)
    if not gate or gate.room > 0 then return end
    if gate.till then return give(why_reason.throttled, {till = gate.till}) end
    if gate.most and running >= gate.most then
        return give(why_reason.limit, {count = running, most = gate.most, names = busy()})
    end
    give(why_reason.rate, {till = gate.opens})
end

-- How many tasks an entry of a lane stands for, and whether that is the one that is looked for.
local budget, left = bound.counted_entries, bound.opened_segments
local function weigh(entry)
    if string.byte(entry) ~= first_byte.segment then return 1, whole(entry) == seq end
    local first, count = span_of(string.sub(entry, 2))
    if not first then return 0, false end
    local is_it = first <= seq and seq < first + count
    if not is_it and left < 1 then return count, false end
    left = left - 1
    local of = open_segment(string.sub(entry, 2))
    local till = of and of.codes_at + (is_it and seq - first or count) - 1 or 0
    local _, ready_ones = string.gsub(of and string.sub(of.text, of.codes_at, till) or '', member_pattern.ready, '')
    return ready_ones, is_it
end

-- How many tasks of a lane come before it; whether it was found, and whether all of them were looked at.
local function count_before(name)
    local before, at = 0, 0
    while budget > 0 do
        local entries = redis.pcall('LRANGE', name, at, at + math.min(budget, bound.lane_page) - 1)
        if entries.err or #entries == 0 then return before, false, true end
        for _, entry in ipairs(entries) do
            local many, is_it = weigh(entry)
            before = before + many
            if is_it then return string.byte(entry) == first_byte.segment and before or before - 1, true, true end
        end
        at, budget = at + #entries, budget - #entries
    end
    return before, false, false
end

local function give_turn(lanes)
    local before, is_all = 0, true
    for _, priority in ipairs(priorities_in(lanes)) do
        if priority < info(task).priority then break end
        local many, _, is_whole = count_before(lane(priority))
        before, is_all = before + many, is_all and is_whole
    end
    give(why_reason.turn, {count = before, is_at_least = not is_all})
end

local function give_limit_of_key()
    local name = info(task).key
    local of = touch(name)
    local room, opens = turns_of_keys().room_of(of)
    if opens then
        give(why_reason.key_rate, {till = opens, names = {name}})
    elseif room < 1 then
        give(why_reason.key_limit, {count = of.ran, most = of.rule.most, names = {name}})
    end
end

local function give_key()
    local name = info(task).key
    give_limit_of_key()
    local member, before = keyed_member(key_letter.waiting, task), 0
    local those = touch(name).short_waiting
    while those and those[before + 1] and those[before + 1] ~= member do before = before + 1 end
    if not those then
        before = call('ZLEXCOUNT', keys.keyed, '[' .. key_letter.waiting .. name .. '\0', '(' .. member)
    end
    give(why_reason.turn, {count = before, names = {name}})
end

local is_scheduled = task.state == task_state.scheduled
if is_terminal(task.state) then
    give(why_reason.ended, {since = task.when})
elseif task.state == task_state.running then
    give(why_reason.running, {since = task.started, count = attempts(task), names = {task.holder}})
elseif task.state == task_state.held then
    give_held()
elseif task.state == task_state.waiting_children then
    give_subtasks()
else
    if is_scheduled then give_scheduled() end
    local _, why, lanes, running = admit(1, 'lanes', counter.running)
    if why == 'paused' then give(why_reason.paused, {}) elseif not is_scheduled then give_gate(whole(running) or 0) end
    if call('ZCARD', keys.leases) == 0 then give(why_reason.no_worker, {}) end
    if task.unclaimed then
        give(why_reason.unclaimed, {names = {reply[3]}})
        if key_of(task) then give_limit_of_key() end
    elseif not is_scheduled and key_of(task) then
        give_key()
    elseif not is_scheduled then
        give_turn(lanes)
    end
end
if #missing > 0 then return {'NEED', unpack(missing)} end
return reply
