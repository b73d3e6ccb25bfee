-- Acts on tasks from outside.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, l:… LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV cancel, start, promote, requeue or remove; then of each: number, nonce
-- out: {'OK', effect of each}; DUE, NEED, RELAY
-- O(log n) a task; O(lane) to take one out of a lane of up to 1,000.
if is_due() then return {'DUE'} end
local steps = {}

function steps.cancel(task)
    if task.state == task_state.running then
        request_cancel(task)
        return effect.requested
    end
    if is_terminal(task.state) then return effect.wrong_state end
    finish(task, task_state.cancelled)
    return effect.done
end

function steps.start(task)
    if task.state ~= task_state.held or is_successor(task) then return effect.wrong_state end  -- its turn comes by itself
    detach(task)
    make_ready(task, task.when)
    return effect.done
end

function steps.promote(task)
    if task.state ~= task_state.scheduled then return effect.wrong_state end
    detach(task)
    make_ready(task, now)
    return effect.done
end

function steps.requeue(task)
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

function steps.remove(task)
    if task.state == task_state.running then return effect.wrong_state end
    if not is_terminal(task.state) then conclude(task, task_state.cancelled) end
    tell_of('removed', task, '', task.failed)
    erase(task)
    return effect.done
end

local seqs, effects = {}, {}
for n = 2, #ARGV, 2 do seqs[#seqs + 1] = tonumber(ARGV[n]) end
load(seqs)
for n = 2, #ARGV, 2 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    effects[#effects + 1] = task and steps[ARGV[1]](task) or effect.not_found
end
return commit({'OK', unpack(effects)})
