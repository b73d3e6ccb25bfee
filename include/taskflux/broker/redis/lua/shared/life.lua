-- States and steps of a task's life, as in core/state.hpp.

local function is_terminal(state) return state >= task_state.succeeded and state <= task_state.expired end
local function is_before_attempt(state) return state <= task_state.waiting end

local function unclaimed_member(task)
    return string.format('%s\0%03d\0%s', info(task).name, stored_base.priority - info(task).priority, padded(task.seq))
end

-- A worker without a handler for it has passed the task over, or it is no longer one of those.
local function set_unclaimed(task, is_on)
    task.unclaimed = is_on
    count('u', is_on and 1 or -1)
    local is_keyed = key_of(task)
    if is_keyed then by_passing(task, is_on) end
    if is_keyed and is_on then return end
    sorted_sets[keys.unclaimed][unclaimed_member(task)] = is_on and 0 or false  -- an older program put those with a key there
end

local function lane(priority) return key(own_key.lane .. priority) end

-- The priorities in use, each once, highest first.
local function priorities_in(lanes)
    local all, known = {}, {}
    for sign, digits in string.gmatch(lanes or '', '(-?)(%d+)') do
        local priority = whole(digits)
        if priority and sign == '-' then priority = -priority end
        if priority and math.abs(priority) <= stored_base.priority and not known[priority] then
            known[priority] = true
            all[#all + 1] = priority
        end
    end
    if #all > 1 then table.sort(all, function(left, right) return left > right end) end
    return all
end

-- Something has happened to a task. Its name is told where it is known anyway.
local function tell_of(kind, task, by, attempt)
    if not is_heard() then return end
    local record = task.record
    tell(kind, task.seq, attempt or task.failed + 1, record and #record >= record_at.name and name_in(record) or '', by or '')
end

-- Takes a task out of every structure that its state puts it into.
local function detach(task)
    local state = task.state
    if state == task_state.held then
        forget_limit(task)
    elseif state == task_state.scheduled then
        sorted_sets[keys.scheduled][padded(task.seq)] = false
        forget_limit(task)
    elseif state == task_state.waiting then
        if task.unclaimed then
            set_unclaimed(task, false)
        elseif task.in_turn then
            task.in_turn = false
        elseif key_of(task) then
            by_key(task, key_letter.waiting, false)
        else
            append(lanes_remove, lane(info(task).priority), task.seq)
        end
        forget_limit(task)
    elseif state == task_state.running then
        if not task.segment then append(held_remove, task.holder, task.seq) end
        task.holder = ''
        if task.cancel then cancels[task.seq] = false end
    elseif state == task_state.waiting_children then
        forget_limit(task)
    end
end

-- Puts a task into its lane, or into the schedule when it is due later. `urgent`: at the lane's head.
local function make_ready(task, at, urgent)
    if at > now then
        enter(task, task_state.scheduled)
        task.when = at
        sorted_sets[keys.scheduled][padded(task.seq)] = at
    else
        enter(task, task_state.waiting)
        arrived[#arrived + 1], shows = task.seq, true
        if key_of(task) then
            by_key(task, key_letter.waiting, true)
            return watch_limit(task)
        end
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
    past_attempts[task.seq] = nil
    local of = task.segment or segment_of(task.seq)
    if of then mark(of, task.seq, member_code.gone) end
    forget_journal(task)
    if task.special and info(task).own then own_ids[info(task).own] = false end
end

-- The task that held its unique key has ended: now it does, and starts when it is due.
local function inherit_key(task)
    lock_unique(task)
    detach(task)
    make_ready(task, task.when)
end

-- Ends a task: its unique key is free, callers waiting for its end are told, its open subtasks are cancelled.
local function conclude(task, state)
    local holder = task.holder  -- who ran it to its end is told with it
    detach(task)
    enter(task, state)
    task.holder = holder
    if not task.is_counted then count(counter_of(state - task_state.succeeded + counted.succeeded, info(task).name), 1) end
    task.when = now
    local how = state == task_state.failed and 'failed' or state == task_state.cancelled and 'cancelled' or 'expired'
    if state == task_state.succeeded then tell_of('succeeded', task, holder) else tell_of(how, task, holder, task.failed) end
    local successor = unlock_unique(task)
    if successor then inherit_key(successor) end
    ended[#ended + 1] = task
    if task.special and info(task).parent then ended_children[#ended_children + 1] = task end
    if task.journal then
        local of = journal_of(task)
        if of.done < of.total or of.calls > 0 then
            outgoing[string.format(outbox_letter.cancel .. '%d', task.seq)] = string.format('%d %d', task.nonce, of.epoch)
        end
    end
end

-- Whether all callers waiting for a task's end can hear of it now; true where there are none. `bytes`: of its outcome: a server
-- drops the connection of who has too much to read.
local function are_heard(seq, bytes)
    for inbox in string.gmatch(hearers[seq] or call('HGET', keys.waiters, seq) or '', '[^\n]+') do
        if bytes > bound.heard or redis.pcall('PUBSUB', 'NUMSUB', inbox)[2] == 0 then return false end
    end
    return true
end

-- Ends a task and keeps its record as long as was asked for; a little longer while a caller waiting for its end can't hear.
local function finish(task, state)
    conclude(task, state)
    local keep = state == task_state.failed and run_policy.failed_retention or run_policy.retention
    if task.special then keep = state == task_state.failed and info(task).failed_retention or info(task).retention end
    if keep == 0 then
        if are_heard(task.seq, #task.result + #task.error) then return erase(task) end
        keep = most_kept.unheard_ms
    end
    task.gone_at = math.min(now + keep, stored_time.never)
    append(sorted_sets[keys.forgotten], task.gone_at, task.seq)
end

local function fail(task, why)
    if task.cancel then return finish(task, task_state.cancelled) end
    task.error = why
    finish(task, task_state.failed)
end

-- A failure as it is stored: see docs/wire-format.md.
local function failure(code, message)
    return '{"code":"' .. code .. '","type":"","message":"' .. message .. '","pointer":"","expected":""}'
end

-- Of each task that has failed while no worker ran it: its number, nonce and name, and why. No worker can say so: who called
-- the script does.
local dead_letters = {}
local function note_failed(task)
    if task.state ~= task_state.failed then return end
    local record = record_of(task)
    for _, part in ipairs({task.seq, task.nonce, #record >= record_at.name and name_in(record) or '', task.error}) do
        dead_letters[#dead_letters + 1] = part
    end
end

-- Ends a task whose deadline has passed.
local function give_up(task)
    if task.first == 0 then return finish(task, task_state.expired) end
    fail(task, task.error ~= '' and task.error or failure('timed_out', "the task's overall deadline passed"))
end

local function retry(task, why, delay, outcome)
    local at = math.min(now + delay, stored_time.never)
    local most = limit(task)
    if task.cancel or (most < stored_time.never and at >= most) then
        if outcome == attempt_outcome.postponed then keep_uncounted(task, attempt_outcome.failed, why) end
        if why == '' then return give_up(task) end
        return fail(task, why)
    end
    if why ~= '' then task.error = why end
    local number = task.failed + (outcome == attempt_outcome.retried and 0 or 1)
    keep_attempt(task, outcome, number, why)
    tell_of(outcome == attempt_outcome.retried and 'retried' or 'postponed', task, task.holder, number)
    detach(task)
    make_ready(task, at)
end

local function give_back(task)
    if task.cancel then return finish(task, task_state.cancelled) end
    detach(task)
    make_ready(task, now, true)
end

-- Gives a task back untouched. `is_unseen`: its consumer has never got it.
local function release(task, is_unseen)
    if task.cancel or not is_unseen then keep_uncounted(task, attempt_outcome.released, '') end
    if not task.cancel then tell_of('released', task, task.holder) end
    if task.first_try then task.first, task.started = 0, 0 end
    give_back(task)
end

-- Takes a task back after its consumer's lease ran out.
local function recover(task)
    task.crashes = task.crashes + 1
    tell_of('lost', task, task.holder)
    count(counter_of(counted.attempt_lost, info(task).name), 1)
    local most = task.special and info(task).crash_limit or run_policy.crash_limit
    local is_last = most > 0 and task.crashes >= most
    if task.cancel or not is_last then keep_uncounted(task, attempt_outcome.lost, '') end
    if not is_last then return give_back(task) end
    fail(task, failure('crashed', 'the lease was lost ' .. task.crashes .. ' times'))
end

-- How many attempts have begun, as users count them: crashes and attempts that were given back are none.
local function attempts(task)
    return task.failed + (task.state >= task_state.running and task.state <= task_state.succeeded and 1 or 0)
end
