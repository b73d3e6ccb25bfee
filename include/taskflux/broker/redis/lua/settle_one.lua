-- `settle_plain` for a single task that has a state of its own. Arguments and answer as there.
local consumer, word = ARGV[1], ARGV[2]
local mine = key('a:' .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
local how, _, seq, nonce = struct.unpack('<BBdI4', word)
local state, failed = succeeded(alive and how == 0 and call('HGET', s, seq), word, consumer)
if not state then return {'SLOW'} end
local waiters = call('HGET', w, seq)

local field = string.format('%d', seq)
call('HSET', s, field, state)
call('SREM', mine, field)
call('ZADD', f, string.format('%d', now + RETENTION), field)
call('HINCRBY', c, 'n' .. RUNNING, -1)
call('HINCRBY', c, 'n' .. SUCCEEDED, 1)
if waiters then
    call('HDEL', w, field)
    local result = string.sub(word, 31)
    local message = end_of({seq = seq, nonce = nonce, state = SUCCEEDED, failed = failed, result = result, error = ''})
    for inbox in string.gmatch(waiters, '[^\n]+') do call('PUBLISH', inbox, message) end
end
return {'OK'}
