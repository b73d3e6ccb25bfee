-- Stores new tasks.

-- Has a process hear of a task's end, also of one that this script brings about.
local function hear_of(seq, channel)
    local known = hearers[seq] or call('HGET', keys.waiters, seq) or ''
    if not string.find(known, channel, 1, true) then hearers[seq] = known .. channel .. '\n' end
end

-- The task that is there already under the same own id or unique key, and whether it is under the id. Where it would be
-- replaced, but has begun, the one that waits for its end.
local function same_task(of, policy)
    if of.own then
        if own_ids[of.own] == nil then own_ids[of.own] = whole(call('HGET', keys.own_ids, of.own)) end
        local known = own_ids[of.own]
        if known then
            load({known})
            if tasks[known] then return tasks[known], true end
        end
    end
    if policy == duplicate.join then return of.unique and unique_holder(of.unique) end
    return replaced_task(of.unique)
end

-- Gives tasks the numbers behind `seq`: from ARGV[from] on, for each a record without its time and how it begins ('' or
-- hold, delay in ms, at; and perhaps what becomes of it where another has its unique key, and `at_most`). Adds index,
-- number and nonce of each duplicate to `reply`, and the number of each to `numbers`; gives the last number. `heard`: places of
-- tasks of whose ends `channel` will hear.
local function store_tasks(seq, from, reply, numbers, heard, channel)
    local time = struct.pack(format.time, now)
    for n = from, #ARGV, 2 do
        local record, how = time .. ARGV[n], ARGV[n + 1]
        local task = fresh(seq + 1, record)
        local hold, delay, at, policy, at_most = 0, 0, 0, duplicate.join, 0
        if how ~= '' then
            local behind
            hold, delay, at, behind = struct.unpack(format.placing, how)
            if behind <= #how then policy, at_most = struct.unpack(format.replacing, how, behind) end
        end
        local due = math.min(math.max(at, now + delay, now), stored_time.never)
        local there, is_own = same_task(info(task), policy)
        if there then
            reply[#reply + 1] = (n - from) / 2
            reply[#reply + 1] = there.seq
            reply[#reply + 1] = there.nonce
            numbers[#numbers + 1] = there.seq
            if policy ~= duplicate.join and not is_own then
                replace(there, task, due, at_most)
                tell_of('replaced', there, '', there.failed)
            end
        else
            seq = seq + 1
            numbers[#numbers + 1] = seq
            tasks[seq] = task
            task.seq = seq
            tell_of('submitted', task, '', 0)
            bodies[#bodies + 1] = seq
            bodies[#bodies + 1] = record
            count_submitted(info(task).name, 1)
            if info(task).own then own_ids[info(task).own] = seq end
            if policy ~= duplicate.join and follow_holder(task) then hold = 1 else lock_unique(task) end
            task.when = due
            task.state = task_state.held
            count(task_state.held, 1)
            changed[seq] = true
            if hold == 1 then
                watch_limit(task)
            else
                make_ready(task, task.when)
                if task.state == task_state.waiting then
                    task.when = 0
                    changed[seq] = nil  -- nothing to say that the record does not
                    arrived[#arrived] = nil  -- its number says when it came
                end
            end
        end
        if heard and heard[#numbers - 1] then hear_of(numbers[#numbers], channel) end
        if policy == duplicate.restart and not is_own then restart_holder(info(task).unique) end
    end
    return seq
end
