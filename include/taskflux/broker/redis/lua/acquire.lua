-- Hands named tasks to a consumer that this makes known, with a lease: those that wait, and that limits let start.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:…
--           HASH, D HASH, ev STREAM
--      ARGV consumer, lease in ms, channel; then of each: number, nonce, own id ('': that number and nonce)
-- out: {'OK', now in ms, {`acquire_outcome`, where taken number, record, state, where limited 1: by its key} of each, but not
--      of those behind 1 MiB}, {'OK', -1} where somebody has joined under that name; DUE, NEED, RELAY
-- O(log n) a task; O(lane) to take one out of a lane of up to 1,000, or from near an end of a longer one.
if is_due() then return {'DUE'} end
local consumer, seqs, own = ARGV[1], {}, {}
local kept = call('HGET', keys.consumers, consumer)
if kept and string.sub(kept, 1, 1) ~= lease_mark.passing and has_lease(consumer) then return {'OK', -1} end
for n = 4, #ARGV, 3 do own[#own + 1] = ARGV[n + 2] end
local known = read(keys.own_ids, own)
for n = 1, #own do seqs[n] = own[n] ~= '' and (whole(known[n]) or 0) or tonumber(ARGV[3 * n + 1]) end
local many = in_steps(seqs, true, function() end)

local room = admit(many)
local taken, is_held, reply, used = 0, false, {'OK', now}, {}

local function take(task)
    local of, name = task.segment, key_of(task)
    if of and task.in_turn then used[of] = info(task).priority end
    if name then turns_of_keys().start(touch(name)) end
    detach(task)
    enter(task, task_state.running)
    task.deliveries, task.started, task.first_try, task.holder = task.deliveries + 1, now, task.first == 0, consumer
    if task.first_try then task.first = now end
    task.packed = pack_state(task)
    tell_of('started', task, consumer)
    append(held_add, consumer, task.seq)
    taken = taken + 1
end

local function claim_one(task, n)
    if not task or own[n] == '' and task.nonce ~= tonumber(ARGV[3 * n + 2]) then return {acquire_outcome.not_found} end
    if own[n] ~= '' and info(task).own ~= own[n] then return {acquire_outcome.not_found} end
    if not is_held_by(task, consumer) then
        if task.state ~= task_state.waiting or limit(task) <= now then return {acquire_outcome.not_waiting} end
        local name = key_of(task)
        if taken >= room then return {acquire_outcome.limited, 0} end
        if name and turns_of_keys().room_of(touch(name)) < 1 then return {acquire_outcome.limited, 1} end
        take(task)
    end
    is_held = true  -- perhaps by an earlier call, whose answer got lost
    return {acquire_outcome.taken, task.seq, record_of(task), task.packed or pack_state(task)}
end
for n = 1, many do reply[n + 2] = claim_one(tasks[seqs[n]], n) end
drop_remnants(used)
if #missing > 0 then return {'NEED', unpack(missing)} end

local due_next = gate and gate.start(taken)
if due_next then also[#also + 1] = {'HSET', keys.queue, 'tat', due_next} end
if is_held then
    local till = math.min(now + tonumber(ARGV[2]), stored_time.never)
    -- Who watches the clock for others must know of an end that comes before all that it knows of. It does not know that of its
    -- own lease, which may be the first.
    local watcher, watching = unpack(call('HMGET', keys.queue, 'watcher', 'watching'))
    watching = whole(watching) or 0
    if not watcher or watching <= now or till < watching then wakes = wakes + 1 end
    shows = till < math.min(first_time(keys.leases), first_time(keys.scheduled))
    also[#also + 1] = {'HSET', keys.consumers, consumer, lease_mark.passing .. ARGV[2] .. ':' .. ARGV[3]}
    if not has_lease(consumer) then also[#also + 1] = {'ZADD', keys.leases, string.format('%d', till), consumer} end
end
return commit(reply)
