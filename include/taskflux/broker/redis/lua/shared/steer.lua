-- What is done with tasks from outside, one by one or by error group. Gives an effect.

local function cancel_task(task)
    if task.state == task_state.running then
        request_cancel(task)
        return effect.requested
    end
    if is_terminal(task.state) then return effect.wrong_state end
    finish(task, task_state.cancelled)
    return effect.done
end

local function promote_task(task)
    if task.state ~= task_state.scheduled then return effect.wrong_state end
    detach(task)
    make_ready(task, now)
    return effect.done
end

local function try_afresh(task)
    if not is_terminal(task.state) or task.state == task_state.succeeded then return effect.wrong_state end
    if task.special and info(task).unique and unique_holder(info(task).unique) then return effect.wrong_state end
    lock_unique(task)
    keep_last_attempt(task)
    task.failed, task.crashes, task.first, task.started, task.from, task.gone_at = 0, 0, 0, 0, now, 0
    task.cancel, task.error, task.holder, task.when = false, '', '', now
    begin_epoch(task)
    make_ready(task, now)
    tell_of('requeued', task)
    return effect.done
end

local function remove_task(task)
    if task.state == task_state.running then return effect.wrong_state end
    if not is_terminal(task.state) then conclude(task, task_state.cancelled) end
    tell_of('removed', task, '', task.failed)
    erase(task)
    return effect.done
end
