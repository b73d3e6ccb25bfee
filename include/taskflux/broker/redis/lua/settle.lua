-- Ends attempts.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV consumer; then of each: how it ended (`settlement::kind`), whether it counts as an attempt (1 byte each), number
--           (double), nonce, token (4 each), delay in ms (double), data (length, text)
-- out: {'OK', effect of each, with what became of its task}; DUE, NEED, RELAY
-- O(log n) an attempt.
local endings = {}  -- what is done with a task by how its attempt ended; gives an effect where that is not `done`

local function end_cancelled(task)
    task.failed = task.failed + 1
    finish(task, task_state.cancelled)
end

endings[ending_kind.complete] = function(task, data)
    if task.cancel then return end_cancelled(task) end
    if wait_for_children(task, data) then return end
    task.is_counted = true  -- by its process
    task.result = data
    finish(task, task_state.succeeded)
end

endings[ending_kind.fail] = function(task, data)
    task.failed = task.failed + 1
    fail(task, data)
end

endings[ending_kind.retry] = function(task, data, delay, counts_too)
    if task.journal then keep_journal(task).awaited = '' end
    if counts_too == 1 then
        task.failed = task.failed + 1
        begin_epoch(task)
    end
    retry(task, data, delay, counts_too == 1 and attempt_outcome.retried or attempt_outcome.postponed)
end

endings[ending_kind.release] = function(task) release(task) end

endings[ending_kind.throttle] = function(task, _, delay)
    hold_back(delay)
    release(task)
end

endings[ending_kind.cancel] = function(task)
    if not task.cancel then return effect.wrong_state end
    end_cancelled(task)
end

endings[ending_kind.suspend] = function(task, data, delay)
    if task.cancel then return end_cancelled(task) end
    local of = keep_journal(task)
    local has_come = data ~= '' and note_in(of, data)
    of.awaited = data ~= '' and data or sleep_mark.name
    keep_attempt(task, attempt_outcome.suspended, task.failed + 1, '')
    tell_of('suspended', task, task.holder)
    detach(task)
    make_ready(task, has_come and now or math.min(now + delay, stored_time.never))
end

-- The state of a task whose process would count another end than has come of its attempt.
local other_ends = {
    [ending_kind.complete] = function(task) return not task.is_counted and task.state end,
    [ending_kind.fail] = function(task) return task.state ~= task_state.failed and task.state end,
    [ending_kind.retry] = function(task) return is_terminal(task.state) and task.state end,
}

local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
local seqs, effects = {}, {}
for n = 2, #ARGV do seqs[n - 1] = struct.unpack(format.number, ARGV[n], ending_at.sequence) end
load_for_steps(seqs)
for n = 2, #ARGV do
    local how, counts_too, seq, nonce, token, delay = struct.unpack(format.ending, ARGV[n])
    local task = find(seq, nonce)
    if not task then
        effects[n - 1] = effect.not_found
    elseif not alive or task.state ~= task_state.running or task.holder ~= consumer or task.deliveries ~= token then
        effects[n - 1] = effect.lease_lost
    else
        local data = string.sub(ARGV[n], ending_at.data)
        local answer = endings[how](task, data, delay, counts_too)
        local became = not answer and other_ends[how] and other_ends[how](task)
        effects[n - 1] = answer or became and effect.done + more_effects.became * (1 + became) or effect.done
    end
end
return commit({'OK', unpack(effects)})
