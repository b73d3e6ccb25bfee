-- Does a step of an operation, or stops it: acts on tasks that are still as they were found, and writes how far it has come.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, operations HASH, ended_operations HASH, outbox HASH, attempts
--           HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV id; the number that it is expected to go on at, or 'stop'; the one at which it goes on next; how many numbers are
--           done with; by whom; of each task: number, nonce, state
-- out: {'OK'} where there is none, or {'OK', {row}}, see `operation_row`: as it was where it is elsewhere; DUE, NEED, RELAY
-- O(log n) a task; O(lane) to take one out of a lane of up to 1,000.
if is_due() then return {'DUE'} end
local id, of = ARGV[1], stored_operation(ARGV[1])
if not of then return {'OK'} end
local is_stopped = ARGV[2] == 'stop'
local is_here = is_stopped or of.next == tonumber(ARGV[2])
if of.state ~= operation_state.running or not is_here then return {'OK', operation_row(id, of)} end

local verbs = {
    retry = {try_afresh, function(state) return is_terminal(state) and state ~= task_state.succeeded end},
    cancel = {cancel_task, function(state) return not is_terminal(state) end},
    remove = {remove_task, function(state) return state ~= task_state.running end},
    promote = {promote_task, function(state) return state == task_state.scheduled end},
}
if not verbs[of.verb] then return {'OK', operation_row(id, of)} end  -- of a newer version
local act, can = unpack(verbs[of.verb])
local seqs = {}
for n = 6, #ARGV, 3 do seqs[#seqs + 1] = tonumber(ARGV[n]) end
load(seqs)
for n = 6, #ARGV, 3 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    local is_same = task and task.state == tonumber(ARGV[n + 2])
    local is_done = is_same and can(task.state) and (of.dry ~= '' or act(task) ~= effect.wrong_state)
    local field = is_done and 'done' or 'refused'
    of.matched, of[field] = of.matched + 1, of[field] + 1
end
if is_stopped then
    of.state, of.ended = operation_state.stopped, now
else
    of.next, of.looked, of.carrier = tonumber(ARGV[3]), of.looked + tonumber(ARGV[4]), ARGV[5]
    if of.next == 0 then of.state, of.ended = operation_state.done, now end
end
if of.state == operation_state.running then
    also[#also + 1] = {'HSET', keys.operations, id, cmsgpack.pack(of)}
else
    for _, other in ipairs(outdated_operations()) do also[#also + 1] = {'HDEL', keys.ended_operations, other} end
    also[#also + 1] = {'HDEL', keys.operations, id}
    also[#also + 1] = {'HSET', keys.ended_operations, id, cmsgpack.pack(of)}
end
return commit({'OK', operation_row(id, of)})
