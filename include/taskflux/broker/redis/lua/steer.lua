-- Acts on tasks from outside.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:…
--           HASH, D HASH, ev STREAM
--      ARGV cancel, start, promote, requeue or remove; then of each: number, nonce
-- out: {'OK', effect of each}; DUE, NEED, RELAY
-- O(log n) a task; O(lane) to take one out of a lane of up to 1,000.
if is_due() then return {'DUE'} end
local steps = {cancel = cancel_task, promote = promote_task, requeue = try_afresh, remove = remove_task}

function steps.start(task)
    if task.state ~= task_state.held or is_successor(task) then return effect.wrong_state end  -- its turn comes by itself
    detach(task)
    make_ready(task, task.when)
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
