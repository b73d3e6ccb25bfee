-- Ends a single attempt that returned a result, of a task that has a state of its own. SLOW when something is special.
-- in:  KEYS queue HASH, states HASH, leases ZSET, forgotten ZSET, waiters HASH, a:… SET, ev STREAM
--      ARGV as `settle`
-- out: {'OK'}; DUE, NEED, SLOW
-- O(log n).
local consumer, word = ARGV[1], ARGV[2]
local mine = key(own_key.held .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
local how, _, seq, nonce = struct.unpack(format.ending_to_nonce, word)
local state, failed = succeeded(alive and how == ending_kind.complete and call('HGET', keys.states, seq), word, consumer)
if not state then return {'SLOW'} end
local waiters, has_limit, wanted = unpack(call('HMGET', keys.waiters, seq, waiter_field.place, waiter_field.events))
if has_limit then return {'SLOW'} end  -- somebody may wait for the place
wanted = wants(wanted) and wanted
if wanted then key(own_key.events) end
if #missing > 0 then return {'NEED', unpack(missing)} end

local field = string.format('%d', seq)
-- Those first that fail where a key has another type.
local function is_refused(answer) return type(answer) == 'table' end
add_to(counter.running, -1)
if is_refused(redis.pcall('ZADD', keys.forgotten, string.format('%d', now + run_policy.retention), field)) or
    is_refused(redis.pcall('SREM', mine, field)) then  -- `settle` says so
    add_to(counter.running, 1)
    redis.pcall('ZREM', keys.forgotten, field)
    return {'SLOW'}
end
call('HSET', keys.states, field, state)
add_to(counter.succeeded, 1)
if waiters then
    call('HDEL', keys.waiters, field)
    local result = string.sub(word, ending_at.data)
    local message = end_of({
        seq = seq, nonce = nonce, state = task_state.succeeded, failed = failed, result = result, error = ''
    })
    for inbox in string.gmatch(waiters, '[^\n]+') do publish(inbox, message) end
end
if wanted then
    listens = wanted
    tell('succeeded', seq, failed + 1, '', consumer)
    write_events()
end
return {'OK'}
