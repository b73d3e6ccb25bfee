-- What every script shares. A script reads what it needs, changes tasks in memory, and writes everything at
-- its end, in `commit`: so all reads come before the first write, and a key that turns out to be needed and
-- was not declared ends the script (`NEED`) before it has changed anything.
--
-- Keys: the sixteen of the queue in the order below, then the lanes, consumers' sets and producers in use.
-- Times are milliseconds since 1970 by the server's clock. States are numbered as in core/state.hpp.
local c, r, s, d, e, C, f, u, k, y, i, w, g, N, h, x = unpack(KEYS, 1, 16)
local prefix = string.sub(c, 1, -2)
local declared, missing = {}, {}
for n = 17, #KEYS do declared[KEYS[n]] = true end
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local forever = 1e15
local HELD, SCHEDULED, WAITING, RUNNING, SUCCEEDED, FAILED, CANCELLED, EXPIRED = 0, 1, 2, 3, 5, 6, 7, 8

-- The full name of a key that is not one of the sixteen.
local function key(name)
    name = prefix .. name
    if not declared[name] then
        missing[#missing + 1] = name
        declared[name] = true
    end
    return name
end

local function padded(seq) return string.format('%014d', seq) end

-- Reads many fields of a hash; false for those that are not there.
local function read(hash, fields)
    if #fields == 0 then return {} end
    if #fields <= 4000 then return call('HMGET', hash, unpack(fields)) end
    local found = {}
    for from = 1, #fields, 4000 do
        local some = call('HMGET', hash, unpack(fields, from, math.min(from + 3999, #fields)))
        for n = 1, #some do found[from + n - 1] = some[n] end
    end
    return found
end

-- A command with a long tail of words, in slices of an even length.
local function write(command, name, words)
    for from = 1, #words, 4000 do
        call(command, name, unpack(words, from, math.min(from + 3999, #words)))
    end
end

-- Whether time alone has something to bring about: `maintain` must come first.
local function due(set)
    local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')
    return first[2] and tonumber(first[2]) <= now
end
local function is_due() return due(d) or due(e) or due(C) or due(f) end

-- --- records: what was submitted ----------------------------------------------------------------------

-- time (6 bytes), version, flags, priority + 100, nonce (4), length of the name, name; then by flag
-- 1: deadline, expires_in, retention, failed retention (doubles), crash limit (4); 2: own id; 4: unique key
-- and its window; 8: the rest of the specification as JSON; then the payload.
local function parse(record)
    local made = {}
    local time, version, flags, priority, nonce, length = struct.unpack('<I6BBBI4B', record)
    local at = 15 + length
    made.submitted, made.flags, made.priority, made.nonce = time, flags, priority - 100, nonce
    made.name = string.sub(record, 15, at - 1)
    made.deadline, made.expires_in, made.retention, made.failed_retention, made.crash_limit = 0, 0, 3600000, 604800000, 3
    if flags % 2 >= 1 then
        made.deadline, made.expires_in, made.retention, made.failed_retention, made.crash_limit, at =
            struct.unpack('<ddddI4', record, at)
    end
    if flags % 4 >= 2 then made.own, at = struct.unpack('<Hc0', record, at) end
    if flags % 8 >= 4 then made.unique, made.window, at = struct.unpack('<Hc0d', record, at) end
    if flags % 16 >= 8 then
        local rest
        rest, at = struct.unpack('<I4', record, at)
        at = at + rest
    end
    made.payload_at = at
    return made
end

-- --- tasks ----------------------------------------------------------------------------------------------

local tasks = {}    -- by seq; false: there is none
local changed = {}  -- those to be written

-- state, bits (1 cancel requested, 2 first try, 4 unclaimed, 8 the record has flags), nonce, deliveries, failed
-- attempts, crashes, when (due, or ended), first started, started, limits from, gone at, holder, error, result
local function unpack_state(seq, text)
    local task, length, bits, at = {seq = seq}
    task.state, bits, task.nonce, task.deliveries, task.failed, task.crashes, task.when, task.first, task.started,
        task.from, task.gone_at, length, at = struct.unpack('<BBI4I4I4I4dddddH', text)
    task.cancel, task.first_try, task.unclaimed, task.special =
        bits % 2 >= 1, bits % 4 >= 2, bits % 8 >= 4, bits >= 8
    task.holder = string.sub(text, at, at + length - 1)
    at = at + length
    length, at = struct.unpack('<I4', text, at)
    task.error = string.sub(text, at, at + length - 1)
    task.result = string.sub(text, at + length)
    return task
end

local function pack_state(task)
    local bits = (task.cancel and 1 or 0) + (task.first_try and 2 or 0) + (task.unclaimed and 4 or 0) +
                     (task.special and 8 or 0)
    return struct.pack('<BBI4I4I4I4dddddH', task.state, bits, task.nonce, task.deliveries, task.failed, task.crashes,
                       task.when, task.first, task.started, task.from, task.gone_at, #task.holder) .. task.holder ..
               struct.pack('<I4', #task.error) .. task.error .. task.result
end

-- A task as it is when nothing has happened to it yet: then it has no entry in `s`.
local function fresh(seq, record)
    local _, flags, _, nonce = struct.unpack('<BBBI4', record, 7)
    return {
        seq = seq, state = WAITING, nonce = nonce, deliveries = 0, failed = 0, crashes = 0, when = 0, first = 0,
        started = 0, from = 0, gone_at = 0, holder = '', error = '', result = '', special = flags > 0, record = record
    }
end

-- Reads tasks; `with_records` also what was submitted.
local function load(seqs, with_records)
    local wanted, records = {}, {}
    for _, seq in ipairs(seqs) do
        if tasks[seq] == nil then wanted[#wanted + 1] = seq end
    end
    local states = read(s, wanted)
    for n, seq in ipairs(wanted) do
        if states[n] then tasks[seq] = unpack_state(seq, states[n]) end
        if with_records or not states[n] then records[#records + 1] = seq end
    end
    local found = read(r, records)
    for n, seq in ipairs(records) do
        if not found[n] then
            tasks[seq] = false  -- a state without a record is a remnant
        elseif tasks[seq] then
            tasks[seq].record = found[n]
        else
            tasks[seq] = fresh(seq, found[n])
        end
    end
end

-- The task of that key, or nil.
local function find(seq, nonce)
    load({seq})
    local task = tasks[seq]
    return task and task.nonce == nonce and task or nil
end

local function info(task)
    if not task.info then
        task.record = task.record or call('HGET', r, task.seq)
        task.info = parse(task.record)
    end
    return task.info
end

-- --- what will be written ---------------------------------------------------------------------------------

local counts, ready, erased, ended = {}, 0, {}, {}
local lanes_head, lanes_tail, lanes_remove = {}, {}, {}
local sorted_sets = {[d] = {}, [e] = {}, [f] = {}, [u] = {}, [i] = {}}  -- member → score, or false: out
local held_add, held_remove = {}, {}                                     -- consumer → seqs
local own_ids, unique_keys, cancels = {}, {}, {}                         -- false: out
local bodies, states, also = {}, {}, {}                                  -- to store; further commands
local messages = {}                                                      -- {inbox, text} each
local wakes, woken, myself = 0, {}, ''                                   -- how many, who for certain, and who not

local function count(what, by) counts[what] = (counts[what] or 0) + by end
local function append(lists, name, value)
    local list = lists[name]
    if not list then
        list = {}
        lists[name] = list
    end
    list[#list + 1] = value
end

local function enter(task, state)
    count(task.state, -1)
    count(state, 1)
    task.state = state
    changed[task.seq] = true
end

-- --- limits, own ids, unique keys ---------------------------------------------------------------------

-- When the task is given up unless it has started (or, after a first try, ended) by then.
local function limit(task)
    if not task.special then return forever end
    local of = info(task)
    local from = task.from > 0 and task.from or of.submitted
    local till = forever
    if of.deadline > 0 then till = from + of.deadline end
    if of.expires_in > 0 and task.first == 0 then till = math.min(till, from + of.expires_in) end
    return till
end

local function watch_limit(task)
    local till = limit(task)
    if till < forever then sorted_sets[e][padded(task.seq)] = till end
end

local function forget_limit(task)
    if task.special and limit(task) < forever then sorted_sets[e][padded(task.seq)] = false end
end

-- The holder of a unique key, as "seq:until", or nil.
local function unique_entry(name)
    if unique_keys[name] == nil then unique_keys[name] = call('HGET', y, name) or false end
    return unique_keys[name] or nil
end

local function unique_holder(name)
    local entry = unique_entry(name)
    if not entry then return nil end
    local seq, till = string.match(entry, '^(%d+):(%d+)$')
    if tonumber(till) <= now then return nil end
    load({tonumber(seq)})
    return tasks[tonumber(seq)] or nil
end

local function lock_unique(task)
    if not task.special then return end
    local of = info(task)
    if not of.unique then return end
    local till = of.window > 0 and math.min(now + of.window, forever) or forever
    unique_keys[of.unique] = string.format('%d:%d', task.seq, till)
end

local function unlock_unique(task)
    if not task.special then return end
    local of = info(task)
    local entry = of.unique and unique_entry(of.unique)
    if entry and string.match(entry, '^%d+') == string.format('%d', task.seq) then unique_keys[of.unique] = false end
end

-- --- steps of a task's life ------------------------------------------------------------------------------

local function unclaimed_member(task)
    return string.format('%s\0%03d\0%s', info(task).name, 100 - info(task).priority, padded(task.seq))
end

local function lane(priority) return key('l:' .. priority) end

-- Out of every structure that its state puts it into.
local function detach(task)
    local state = task.state
    if state == HELD then
        forget_limit(task)
    elseif state == SCHEDULED then
        sorted_sets[d][padded(task.seq)] = false
        forget_limit(task)
    elseif state == WAITING then
        if task.unclaimed then
            sorted_sets[u][unclaimed_member(task)] = false
            task.unclaimed = false
            count('u', -1)
        else
            append(lanes_remove, lane(info(task).priority), task.seq)
        end
        forget_limit(task)
    elseif state == RUNNING then
        append(held_remove, task.holder, task.seq)
        task.holder = ''
        if task.cancel then cancels[task.seq] = false end
    end
end

-- To a lane, or to the schedule when it is due later. `urgent`: to the lane's head.
local function make_ready(task, at, urgent)
    if at > now then
        enter(task, SCHEDULED)
        task.when = at
        sorted_sets[d][padded(task.seq)] = at
    else
        enter(task, WAITING)
        append(urgent and lanes_head or lanes_tail, lane(info(task).priority), task.seq)
        ready = ready + 1
    end
    watch_limit(task)
end

local function erase(task)
    count(task.state, -1)
    erased[#erased + 1] = task.seq
    changed[task.seq] = nil
    tasks[task.seq] = false
    if task.special and info(task).own then own_ids[info(task).own] = false end
end

-- The end of a task: its unique key is free, who waits is told.
local function conclude(task, state)
    detach(task)
    enter(task, state)
    task.when = now
    unlock_unique(task)
    ended[#ended + 1] = task
end

local function finish(task, state)
    conclude(task, state)
    local keep = state == FAILED and 604800000 or 3600000
    if task.special then keep = state == FAILED and info(task).failed_retention or info(task).retention end
    if keep == 0 then return erase(task) end
    task.gone_at = math.min(now + keep, forever)
    append(sorted_sets[f], task.gone_at, task.seq)
end

local function fail(task, why)
    if task.cancel then return finish(task, CANCELLED) end
    task.error = why
    finish(task, FAILED)
end

local function failure(code, message)
    return '{"code":"' .. code .. '","type":"","message":"' .. message .. '","pointer":"","expected":""}'
end

-- Its deadline has passed.
local function give_up(task)
    if task.first == 0 then return finish(task, EXPIRED) end
    fail(task, task.error ~= '' and task.error or failure('timed_out', "the task's overall deadline passed"))
end

local function retry(task, why, delay)
    local at = math.min(now + delay, forever)
    if task.cancel or at >= limit(task) then return fail(task, why) end
    if why ~= '' then task.error = why end
    detach(task)
    make_ready(task, at)
end

local function give_back(task)
    if task.cancel then return finish(task, CANCELLED) end
    detach(task)
    make_ready(task, now, true)
end

local function release(task)
    if task.first_try then task.first, task.started = 0, 0 end
    give_back(task)
end

-- After its consumer's death.
local function recover(task)
    task.crashes = task.crashes + 1
    local most = task.special and info(task).crash_limit or 3
    if most == 0 or task.crashes < most then return give_back(task) end
    fail(task, failure('crashed', 'the lease was lost ' .. task.crashes .. ' times'))
end

local function attempts(task)
    return task.failed + ((task.state == RUNNING or task.state == SUCCEEDED) and 1 or 0)
end

local function has_lease(consumer)
    local till = call('ZSCORE', C, consumer)
    return till and tonumber(till) > now
end

-- What a consumer holds, newest first, so that giving all back keeps their order.
local function held_by(consumer)
    local seqs = call('SMEMBERS', key('a:' .. consumer))
    for n = 1, #seqs do seqs[n] = tonumber(seqs[n]) end
    table.sort(seqs, function(a, b) return a > b end)
    return seqs
end

-- --- messages ---------------------------------------------------------------------------------------------

-- A text with its length in front.
local function text(value) return struct.pack('<I4', #value) .. value end
local queue = string.sub(prefix, 5, -3)

local function send(inbox, kind, ...) messages[#messages + 1] = {inbox, kind .. text(queue) .. table.concat({...})} end

-- Those who wait for what has ended.
local function tell_waiters()
    if #ended == 0 or call('EXISTS', w) == 0 then return end
    local seqs, gone = {}, {}
    for n, task in ipairs(ended) do seqs[n] = task.seq end
    local found = read(w, seqs)
    for n, task in ipairs(ended) do
        if found[n] then
            gone[#gone + 1] = task.seq
            local outcome = struct.pack('<dI4BI4', task.seq, task.nonce, task.state, attempts(task)) .. text(task.result) .. text(task.error)
            for inbox in string.gmatch(found[n], '[^\n]+') do send(inbox, 'E', outcome) end
        end
    end
    return gone
end

-- Tells one who sleeps for want of tasks to look again; false when nobody was there any more.
local function wake(member)
    if call('ZREM', i, member) == 0 then return false end
    local inbox, sleeper = string.match(member, '^([^\n]*)\n([^\n]*)\n')
    return call('PUBLISH', inbox, 'W' .. text(queue) .. text(sleeper)) ~= 0
end

-- When time alone may next give those who sleep something to do.
local function next_change()
    local soonest = forever
    for _, set in ipairs({d, C}) do
        local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')
        soonest = math.min(soonest, tonumber(first[2] or forever))
    end
    return soonest
end

-- Whether a sleeper must be woken to watch the clock, now that `member` does not: it was the one who did, or the one
-- that was woken because something falls due earlier than who watches knows.
local function is_unwatched(member, watcher, till)
    local soonest = next_change()
    return soonest < forever and (not watcher or watcher == member or soonest < tonumber(till or forever))
end

-- --- the end of every script ----------------------------------------------------------------------------

-- Writes everything. Comes back with the reply to give, which is `reply` unless a key was not declared.
local function commit(reply)
    local told = tell_waiters()
    wakes = wakes + math.min(ready, 8)
    if next(sorted_sets[d]) then  -- who sleeps until the next task falls due may have to wake earlier
        local soonest = forever
        for _, at in pairs(sorted_sets[d]) do soonest = math.min(soonest, at or forever) end
        local first = call('ZRANGE', d, 0, 0, 'WITHSCORES')
        if soonest < tonumber(first[2] or forever) then wakes = wakes + 1 end
    end
    local idle = wakes > 0 and call('ZRANGE', i, 0, wakes + 7) or {}
    if next(lanes_head) or next(lanes_tail) then
        local known = call('HGET', c, 'lanes') or ','
        local all = known
        for _, pushed in ipairs({lanes_head, lanes_tail}) do
            for name in pairs(pushed) do
                local priority = string.sub(name, #prefix + 3) .. ','
                if not string.find(all, ',' .. priority, 1, true) then all = all .. priority end
            end
        end
        if all ~= known then also[#also + 1] = {'HSET', c, 'lanes', all} end
    end
    local lengths = {}
    for name in pairs(lanes_remove) do lengths[name] = call('LLEN', name) end
    for consumer in pairs(held_add) do key('a:' .. consumer) end
    for consumer in pairs(held_remove) do key('a:' .. consumer) end
    if #missing > 0 then return {'NEED', unpack(missing)} end

    write('HSET', r, bodies)
    for seq in pairs(changed) do
        states[#states + 1] = seq
        states[#states + 1] = tasks[seq].packed or pack_state(tasks[seq])
    end
    write('HSET', s, states)
    if #erased > 0 then
        write('HDEL', r, erased)
        write('HDEL', s, erased)
        write('HDEL', w, erased)
        if call('EXISTS', g) == 1 then
            local fields = {}
            for _, seq in ipairs(erased) do
                fields[#fields + 1] = seq .. 'p'
                fields[#fields + 1] = seq .. 'l'
            end
            write('HDEL', g, fields)
        end
    end
    for name, seqs in pairs(lanes_head) do write('LPUSH', name, seqs) end
    for name, seqs in pairs(lanes_tail) do write('RPUSH', name, seqs) end
    for name, seqs in pairs(lanes_remove) do
        -- In a long lane what is out stays as a remnant, which `fetch` drops: finding it would take too long.
        if lengths[name] <= 1000 then
            for _, seq in ipairs(seqs) do call('LREM', name, 1, seq) end
        end
    end
    local ends = sorted_sets[f]
    sorted_sets[f] = {}
    for at, seqs in pairs(ends) do
        if seqs == false then sorted_sets[f][at] = false
        elseif at < forever then sorted_sets[f][table.concat(seqs, ',')] = at end
    end
    for name, members in pairs(sorted_sets) do
        local add, out = {}, {}
        for member, score in pairs(members) do
            if score then
                add[#add + 1] = string.format('%d', score)
                add[#add + 1] = member
            else
                out[#out + 1] = member
            end
        end
        write('ZADD', name, add)
        write('ZREM', name, out)
    end
    for consumer, seqs in pairs(held_remove) do write('SREM', key('a:' .. consumer), seqs) end
    for consumer, seqs in pairs(held_add) do write('SADD', key('a:' .. consumer), seqs) end
    for hash, changes in pairs({[k] = own_ids, [y] = unique_keys, [x] = cancels}) do
        for field, value in pairs(changes) do
            if value then call('HSET', hash, field, value) else call('HDEL', hash, field) end
        end
    end
    for what, by in pairs(counts) do
        if by ~= 0 then call('HINCRBY', c, 'n' .. what, by) end
    end
    if told and #told > 0 then write('HDEL', w, told) end
    for _, command in ipairs(also) do call(unpack(command)) end
    for _, message in ipairs(messages) do call('PUBLISH', message[1], message[2]) end
    for _, member in ipairs(woken) do wake(member) end
    for _, member in ipairs(idle) do
        if wakes == 0 then break end
        if member ~= myself and wake(member) then wakes = wakes - 1 end
    end
    return reply
end
