-- Does what time alone brings about, some of it: promotes, gives up, recovers from consumers without a lease, forgets.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:…
--           HASH, D HASH, ev STREAM
--      ARGV how many at most of each, the server's run id ('': not known)
-- out: {'OK', 1 if there is more or 0, and of each task that has failed here: its number, nonce and name, and why}; NEED;
--      RELAY in place of OK when the outbox holds something
-- O(log n) a task, and up to 1 MiB of them or one; O(consumers) once after a change of servers.
local most = tonumber(ARGV[1])
local function overdue(set) return call('ZRANGE', set, '-inf', now, 'BYSCORE', 'LIMIT', 0, most) end

-- Another server, or the same one after a restart. Its clock may differ and it may have lost the last numbers given;
-- no worker could renew its lease while there was none. So all leases begin again, and some numbers are skipped.
local known, dead = call('HMGET', keys.queue, 'run', 'seq', 'gaps', 'runs', 'events'), overdue(keys.leases)
local run = known[1]
listens = known[5]
if listens and not is_heard() then stop_events(known[5]) end
if #dead > 0 or ARGV[2] ~= '' and ARGV[2] ~= run then run = current_run(ARGV[2], run) end  -- the caller may be behind the times
if run and run ~= '' and run ~= known[1] and (known[1] or known[2]) then  -- of a queue that nobody knows nothing is left
    also[#also + 1] = {'HSET', keys.queue, 'run', run}
    if known[1] then
        also[#also + 1] = {'HSET', keys.queue, 'runs', string.sub((known[4] or '') .. known[1] .. ',', -bound.runs)}
        local last, gaps = whole(known[2] or 0), gaps_in(known[3])
        if last then
            local till = last + bound.lost_numbers
            if gaps[1] and gaps[#gaps].last == last then gaps[#gaps].last = till  -- none has been given since
            else gaps[#gaps + 1] = {first = last + 1, last = till} end
            also[#also + 1] = {'HSET', keys.queue, 'seq', string.format('%d', till), 'gaps', gaps_as_text(gaps)}
        end
        local members = call('HGETALL', keys.consumers)
        for n = 1, #members, 2 do
            local lease = whole(string.match(members[n + 1], '^%d+')) or 0  -- damaged: at its end
            local till = math.min(now + lease, stored_time.never)
            also[#also + 1] = {'ZADD', keys.leases, 'XX', string.format('%d', till), members[n]}
        end
        dead = {}
    end
end

-- The numbers of overdue tasks, which are taken out of the set.
local function take(set)
    local seqs = {}
    for _, member in ipairs(overdue(set)) do
        local seq = whole(member)
        if seq and padded(seq) == member then
            if not may_read(bytes_of(seq, true)) then break end
            seqs[#seqs + 1] = seq
            sorted_sets[set][member] = false
        else
            drop_foreign(set, member)
        end
    end
    load(seqs)
    return seqs
end

for _, seq in ipairs(take(keys.scheduled)) do
    local task = tasks[seq]
    if task and task.state == task_state.scheduled then
        detach(task)
        make_ready(task, now)
    elseif is_set_aside(seq) then
        count(task_state.scheduled, -1)
    end
end

for _, seq in ipairs(take(keys.limited)) do
    local task = tasks[seq]
    if task and not is_terminal(task.state) and task.state ~= task_state.running and limit(task) <= now then
        give_up(task)
        note_failed(task)
    end
end

-- In a function, since there is room for 200 names at once outside of one.
local function forget_overdue()
    local forgotten, has_news = 0, call('EXISTS', keys.reports) == 1  -- progress and logs
    for _, member in ipairs(overdue(keys.forgotten)) do
        if forgotten >= most or is_read_up then break end
        local seqs, is_foreign = {}, false
        for part in string.gmatch(member, '[^,]+') do
            local first, last = string.match(part, '^(%d+)%-?(%d*)$')
            first = whole(first)
            last = first and (last == '' and first or whole(last)) or 0
            if not first or last - first >= bound.segment then first, last, is_foreign = 1, 0, true end
            local of = last > first and not has_news and segment_of(first)
            for seq = first, last do
                local is_in = of and seq < of.first + of.count
                if is_in and code_of(of, seq) == member_code.succeeded then  -- nothing else is known of it
                    mark(of, seq, member_code.gone)
                    count(task_state.succeeded, -1)
                else
                    seqs[#seqs + 1] = seq
                end
                forgotten = forgotten + 1
            end
        end
        local done = in_steps(seqs, false, function(seq)
            local task = tasks[seq]
            if task and is_terminal(task.state) and task.gone_at <= now then
                -- Its own id is in its record.
                local may_go = not task.special or task.record or may_read(call('HSTRLEN', keys.records, seq))
                if not may_go and #erased > 0 then return false end
                erase(task)
            end
        end)
        for n = done + 1, #seqs do append(sorted_sets[keys.forgotten], now, seqs[n]) end  -- next time
        if is_foreign then drop_foreign(keys.forgotten, member) else sorted_sets[keys.forgotten][member] = false end
    end
end
forget_overdue()

drop_orphaned_attempts()

-- Versions that know no successors end a task without a look at the one that waits for that.
for _, name in ipairs(call('HRANDFIELD', keys.successors, bound.looked_after)) do replaced_task(name) end

local function recover_dead()
    local recovered, gone = 0, 0
    for _, consumer in ipairs(dead) do
        local seqs = held_by(consumer)
        if #missing > 0 then break end
        local some = {}
        for n = 1, math.min(#seqs, most - recovered) do
            if not may_read(bytes_of(seqs[n], true)) then break end
            some[n] = seqs[n]
        end
        load(some)
        for _, seq in ipairs(some) do
            if is_held_by(tasks[seq], consumer) then
                local task = tasks[seq]
                recover(task)
                note_failed(task)
            else
                if is_set_aside(seq) then count(task_state.running, -1) end
                append(held_remove, consumer, seq)
            end
        end
        recovered = recovered + #some
        if #some == #seqs then
            also[#also + 1] = {'ZREM', keys.leases, consumer}
            also[#also + 1] = {'HDEL', keys.consumers, consumer}
            gone = gone + 1
        end
        if recovered >= most or is_read_up then break end
    end
    count_none_running(gone)
end
recover_dead()
local reply = commit({'OK', 0})
if reply[1] ~= 'NEED' then
    if is_due() then reply[2] = 1 end
    for _, part in ipairs(dead_letters) do reply[#reply + 1] = part end
end
if reply[1] == 'OK' and call('EXISTS', keys.outbox) == 1 then reply[1] = 'RELAY' end
return reply
