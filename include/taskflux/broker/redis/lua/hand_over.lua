-- Stores a single plain task and gives it to a consumer that sleeps. SLOW, and nothing has been done, when none can take it or
-- others wait before it.
-- in:  KEYS queue HASH, records HASH, states HASH, leases ZSET, sleepers ZSET, waiters HASH, names HASH, a:… SET, p:… STRING,
--           ev STREAM
--      ARGV producer, batch number, the server's run id, channel that will hear of its end or '', record without its time
-- out: {'OK', number}; DUE, NEED, NEW, SLOW
-- O(log n) of sleepers.
local producer, batch, body = key(own_key.producer .. ARGV[1]), tonumber(ARGV[2]), ARGV[5]
local name = string.sub(body, body_at.name, body_at.name - 1 + string.byte(body, body_at.name_length))
local submitted = 'n' .. counter_of(counted.submitted, name)
local may_start, _, last, run, watcher, waiting, running, many =
    admit(1, 'seq', 'run', 'watcher', counter.waiting, counter.running, submitted)
if not last then return {'NEW'} end
if is_new_server(ARGV[3], run) then return {'DUE'} end  -- a new server: `maintain` must come first
if may_start < 1 or (whole(waiting) or 0) > 0 or #body > most_handed.bytes then return {'SLOW'} end
if gate and refusal(gate.stated, 1) then return {'SLOW'} end

local inbox, sleeper, consumer, signature
local function can_take(member)
    inbox, sleeper, consumer, signature = string.match(member, '^([^\n]*)\n(%d+:([^\n]*))\n([^\n]*)$')
    if not inbox or not has_lease(consumer) then return false end
    if signature == '*' then return true end
    local names = '\n' .. (call('HGET', keys.names, signature) or '') .. '\n'
    return string.find(names, '\n' .. name .. '\n', 1, true) ~= nil
end

-- The last to fall asleep comes first, so that the same few work while there is little to do; but who watches the clock
-- only if there is nobody else.
local taker
local asleep = call('ZRANGE', keys.sleepers, 0, bound.wakes - 1, 'REV')
for _, member in ipairs(asleep) do
    if (member ~= watcher or #asleep == 1) and can_take(member) then
        taker = member
        break
    end
end
if not taker then return {'SLOW'} end
local held = key(own_key.held .. consumer)
local is_told = wants(listens)
if is_told then key(own_key.events) end
if not many and call('HLEN', keys.queue) >= bound.counters then
    submitted = 'n:0:' .. counted.submitted .. ':'
    many = call('HGET', keys.queue, submitted)
end
if #missing > 0 then return {'NEED', unpack(missing)} end

-- In place of `remember_answer` and `answered`, with one command; the bytes are what `cmsgpack.pack` might write, in half
-- its time. A full server refuses here, before any message.
local seq = last_number(last) + 1
local before = call('SET', producer,
                    struct.pack(format.number, batch) .. fixed.ok_and_number .. struct.pack(format.number_in_msgpack, seq),
                    'PX', bound.answer_ms, 'GET')
local answer = before and answer_in(before, batch)
if answer then
    call('SET', producer, before, 'PX', bound.answer_ms)
    return answer
end

local record = struct.pack(format.time, now) .. body
local bits = state_bit.first_try + (is_special(string.byte(body, body_at.flags)) and state_bit.special or 0)
local state = string.char(state_byte.running, bits) .. string.sub(body, body_at.nonce, body_at.name_length - 1) ..
                  started_by(consumer)
local field = string.format('%d', seq)
local function is_refused(answer) return type(answer) == 'table' end
local is_in_the_way = is_refused(redis.pcall('HSET', keys.records, field, record)) or
                      is_refused(redis.pcall('HSET', keys.states, field, state)) or
                      is_refused(redis.pcall('SADD', held, field)) or
                      ARGV[4] ~= '' and is_refused(redis.pcall('HSET', keys.waiters, field, ARGV[4] .. '\n'))
if not is_in_the_way then call('ZREM', keys.sleepers, taker) end
if is_in_the_way or
    publish(inbox, message_letter.task .. text(queue_name()) .. text(sleeper) .. struct.pack(format.number, seq) ..
             text(record) .. state) == 0 then  -- a key has another type, or nobody hears: as if nothing had been done
    for _, hash in ipairs({keys.records, keys.states, keys.waiters}) do redis.pcall('HDEL', hash, field) end
    redis.pcall('SREM', held, field)
    if before then call('SET', producer, before, 'PX', bound.answer_ms) else call('DEL', producer) end
    return {'SLOW'}
end
call('HSET', keys.queue, 'seq', field, counter.running, string.format('%d', (whole(running) or 0) + 1), submitted,
     string.format('%d', (whole(many) or 0) + 1))
for _, command in ipairs(also) do call(unpack(command)) end  -- a throttle that is over
local due_next = gate and gate.start(1)
if due_next then call('HSET', keys.queue, 'tat', due_next) end
if is_told then
    tell('submitted', seq, 0, name, '')
    tell('started', seq, 1, name, consumer)
    write_events()
end
return {'OK', seq}
