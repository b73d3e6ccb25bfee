-- Ends a task with a result, for who need not be its consumer.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, p:…
--           STRING, D HASH, ev STREAM
--      ARGV number, nonce, own id ('': that number and nonce), `reply_scope`, token, result, what is to be submitted to another
--           queue (as the outbox has it; '': nothing), which call it is: the same where it is sent again
-- out: {'OK', effect}; DUE, NEED, RELAY
-- O(log n); O(lane) to take it out of a lane of up to 1,000.
local sent = key(own_key.producer .. ARGV[8])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(sent, 1)
if before then return before end
if is_due() then return {'DUE'} end
local own, scope, token, result = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local seq = own ~= '' and (whole(call('HGET', keys.own_ids, own)) or 0) or tonumber(ARGV[1])
load({seq}, true)
local task = tasks[seq]
if not task or own == '' and task.nonce ~= tonumber(ARGV[2]) or own ~= '' and info(task).own ~= own then
    return {'OK', effect.not_found}
end

local is_any, replier, used = scope == reply_scope.any, 'reply', {}
local function end_with_result()
    if task.cancel then
        task.failed = task.failed + 1
        return finish(task, task_state.cancelled)
    end
    if wait_for_children(task, result) then return end
    task.result = result
    finish(task, task_state.succeeded)
end

-- Gives an effect where that is not `done`, or where all is done already.
local function end_it()
    if scope == reply_scope.attempt then
        local is_current = task.deliveries == token
        if is_current and task.state == task_state.succeeded and task.result == result then return effect.done end
        if not is_current or task.state ~= task_state.running then return effect.lease_lost end
    elseif task.state == task_state.waiting then
        if task.segment and task.in_turn then used[task.segment] = info(task).priority end
        detach(task)
        enter(task, task_state.running)
        task.deliveries, task.started, task.first_try, task.holder = task.deliveries + 1, now, task.first == 0, replier
        if task.first_try then task.first = now end
        tell_of('started', task, task.holder)
    elseif is_any and task.state == task_state.succeeded then
        task.result, task.when = result, now
        local keep = task.special and info(task).retention or run_policy.retention
        if keep == 0 then keep = most_kept.unheard_ms end  -- it is still there as a caller could not hear of it
        task.gone_at = math.min(now + keep, stored_time.never)
        append(sorted_sets[keys.forgotten], task.gone_at, task.seq)
        changed[task.seq] = true
        return
    elseif not is_any and task.state == task_state.succeeded and task.holder == replier and task.result == result then
        return effect.done  -- by an earlier reply, which its sender may not have heard of
    elseif not is_any or task.state ~= task_state.running then
        return effect.wrong_state
    end
    end_with_result()
end
local answer = end_it() or effect.done
-- Not of a task that was cancelled meanwhile, or waits for its subtasks. One that is said twice is the same entry.
if answer == effect.done and task.state == task_state.succeeded and ARGV[7] ~= '' then
    outgoing[string.format(outbox_letter.forward .. '%d:', seq) .. redis.sha1hex(ARGV[7])] = ARGV[7]
end
drop_remnants(used)
-- Where the task does not show it, or not for long, nothing else tells one who sends it again, as the answer got lost, that it
-- took effect. Then, too, somebody has to carry what it brought about.
if answer == effect.done and (is_any or not tasks[seq] or task.state ~= task_state.succeeded) then
    remember_answer(sent, 1, {'RELAY', answer})
end
return commit({'OK', answer})
