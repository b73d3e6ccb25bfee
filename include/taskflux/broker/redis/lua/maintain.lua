-- Does what time alone brings about, some of it: promotes, gives up, recovers from consumers without a lease, forgets.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed
--           ZSET, own_ids HASH, unique_keys HASH, sleepers ZSET, waiters HASH, reports HASH, consumers HASH, cancels HASH,
--           segments HASH, segment_index ZSET, set_aside HASH, outbox HASH, l:… LIST, a:… SET, j:… HASH, D HASH
--      ARGV how many at most of each, the server's run id ('': not known)
-- out: {'OK', 1 if there is more or 0}; NEED; RELAY in place of OK when the outbox holds something
-- O(log n) a task; O(consumers) once after a change of servers.
local most = tonumber(ARGV[1])
local function overdue(set) return call('ZRANGE', set, '-inf', now, 'BYSCORE', 'LIMIT', 0, most) end

-- Another server, or the same one after a restart. Its clock may differ and it may have lost the last numbers given;
-- no worker could renew its lease while there was none. So all leases begin again, and some numbers are skipped.
local run, known, dead = ARGV[2], call('HGET', keys.queue, 'run'), overdue(keys.leases)
if #dead > 0 or run ~= '' and run ~= known then  -- the caller's knowledge may be older than this server
    local told = redis.pcall('INFO', 'server')
    run = type(told) == 'string' and string.match(told, 'run_id:(%x+)') or run
end
if run ~= '' and run ~= known then
    also[#also + 1] = {'HSET', keys.queue, 'run', run}
    if known then
        also[#also + 1] = {'HINCRBY', keys.queue, 'seq', bound.lost_numbers}
        local members = call('HGETALL', keys.consumers)
        for n = 1, #members, 2 do
            local till = math.min(now + string.match(members[n + 1], '^%d+'), stored_time.never)
            also[#also + 1] = {'ZADD', keys.leases, 'XX', string.format('%d', till), members[n]}
        end
        dead = {}
    end
end

local scheduled = {}
for n, member in ipairs(overdue(keys.scheduled)) do scheduled[n] = tonumber(member) end
load(scheduled)
for _, seq in ipairs(scheduled) do
    local task = tasks[seq]
    sorted_sets[keys.scheduled][padded(seq)] = false
    if task and task.state == task_state.scheduled then
        detach(task)
        make_ready(task, now)
    elseif is_set_aside(seq) then
        count(task_state.scheduled, -1)
    end
end

local limited = {}
for n, member in ipairs(overdue(keys.limited)) do limited[n] = tonumber(member) end
load(limited)
for _, seq in ipairs(limited) do
    local task = tasks[seq]
    sorted_sets[keys.limited][padded(seq)] = false
    if task and not is_terminal(task.state) and task.state ~= task_state.running and limit(task) <= now then give_up(task) end
end

local forgotten, has_news = 0, call('EXISTS', keys.reports) == 1  -- progress and logs
for _, member in ipairs(overdue(keys.forgotten)) do
    if forgotten >= most then break end
    local seqs = {}
    for first, last in string.gmatch(member, '(%d+)%-?(%d*)') do
        first, last = tonumber(first), tonumber(last) or tonumber(first)
        local of = last > first and not has_news and segment_of(first)
        for seq = first, last do
            if of and code_of(of, seq) == member_code.succeeded then  -- nothing else is known of it
                mark(of, seq, member_code.gone)
                count(task_state.succeeded, -1)
            else
                seqs[#seqs + 1] = seq
            end
            forgotten = forgotten + 1
        end
    end
    load(seqs)
    for _, seq in ipairs(seqs) do
        local task = tasks[seq]
        if task and is_terminal(task.state) and task.gone_at <= now then erase(task) end
    end
    sorted_sets[keys.forgotten][member] = false
end

local recovered = 0
for _, consumer in ipairs(dead) do
    local seqs = held_by(consumer)
    if #missing > 0 then break end
    local some = {}
    for n = 1, math.min(#seqs, most - recovered) do some[n] = seqs[n] end
    load(some)
    for _, seq in ipairs(some) do
        if tasks[seq] and tasks[seq].state == task_state.running then
            recover(tasks[seq])
        elseif is_set_aside(seq) then
            count(task_state.running, -1)
            append(held_remove, consumer, seq)
        end
    end
    recovered = recovered + #some
    if #some == #seqs then
        also[#also + 1] = {'ZREM', keys.leases, consumer}
        also[#also + 1] = {'HDEL', keys.consumers, consumer}
    end
    if recovered >= most then break end
end
local reply = commit({'OK', 0})
if reply[1] ~= 'NEED' and is_due() then reply[2] = 1 end
if reply[1] == 'OK' and call('EXISTS', keys.outbox) == 1 then reply[1] = 'RELAY' end
return reply
