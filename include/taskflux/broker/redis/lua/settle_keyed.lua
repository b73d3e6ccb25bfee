-- Ends attempts that returned results, of tasks of which nothing is special but that some have a key, and which nobody has
-- cancelled. SLOW, and nothing has been done, when that is not so.
-- in:  KEYS queue HASH, records HASH, states HASH, leases ZSET, forgotten ZSET, unclaimed ZSET, sleepers ZSET, waiters HASH,
--           names HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, a:… SET, ev STREAM
--      ARGV as `settle`
-- out: {'OK'}: all are done; DUE, NEED, SLOW
-- O(log n) an attempt.
local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
if not alive then return {'SLOW'} end
local mine = key(own_key.held .. consumer)
local each, own
each, own, listens = unpack(call('HMGET', keys.queue, 'each', 'own', 'events'))
local is_told = wants(listens)
if is_told then key(own_key.events) end
if #missing > 0 then return {'NEED', unpack(missing)} end
local of_each, turn = limit_of_each(each, own), latest_turn()
if not of_each or not turn or call('EXISTS', keys.turn_times) == 1 or has_passed() then return {'SLOW'} end

local seqs, records = {}, {}
for n = 2, #ARGV do
    local how, _, seq = struct.unpack(format.ending_to_nonce, ARGV[n])
    if how ~= ending_kind.complete then return {'SLOW'} end
    seqs[n - 1] = seq
end
local conditions, has_waiters = read(keys.states, seqs), call('EXISTS', keys.waiters) == 1
records = read(keys.records, seqs)
local held, names, place_of, places, orders = {}, {}, {}, {}, {}
for n, seq in ipairs(seqs) do
    local word, record = ARGV[n + 1], records[n]
    local name, order
    if record then name, order = lone_key(record, 0) end
    local state, failed = succeeded(name and conditions[n], word, consumer, state_bit.special)
    if not state or held[seq] then return {'SLOW'} end
    held[seq] = true
    states[#states + 1] = seq
    states[#states + 1] = state
    local place = place_of[name]
    if not place then
        place = #names + 1
        names[place], place_of[name] = name, place
    end
    places[n], orders[n] = place, order
    if has_waiters then
        local nonce = struct.unpack(format.u32, word, ending_at.nonce)
        ended[#ended + 1] = {
            seq = seq, nonce = nonce, state = task_state.succeeded, failed = failed, result = string.sub(word, ending_at.data),
            error = ''
        }
    end
    if is_told then tell('succeeded', seq, failed + 1, '', consumer) end
end

local texts, out, ends_of = call('HMGET', keys.short_keys, unpack(names)), {}, {}
for n, place in ipairs(places) do
    local text = texts[place]
    if text then
        text = is_short_form(text) and without_task(text, orders[n], seqs[n])
        if not text then return {'SLOW'} end
        texts[place] = text
    else
        out[#out + 1] = key_letter.running .. names[place] .. member_end(orders[n], seqs[n])
        ends_of[place] = (ends_of[place] or 0) + 1
    end
end

-- Those that were full and have waiting tasks have a turn again.
local short, dropped, turns, startable = {}, {}, {}, 0
for place, name in ipairs(names) do
    local text, has_waiting, ran = texts[place], false, 0
    if text and #text == #short_none then
        dropped[#dropped + 1] = name
    elseif text then
        short[#short + 1] = name
        short[#short + 1] = text
        ran = string.byte(text)
        has_waiting = of_each < math.huge and #text >= place_in(ran + 2) - 1
    else
        has_waiting = of_each < math.huge and members_of(name, nil, 1)[1]
        if has_waiting then ran = running_of(name) - ends_of[place] end
    end
    if has_waiting and ran < of_each and not time_of(keys.turns, name) then
        startable, turn = startable + 1, turn + 1
        turns[#turns + 1] = turn
        turns[#turns + 1] = name
    end
end
local told_of = tell_waiters() or {}

-- A key of another type shows before the first write, or with it.
wakes = called_by(startable, #seqs)
call('ZCARD', keys.forgotten)
local asleep = sleepers()
write('SREM', mine, seqs)
write('HSET', keys.states, states)
write('HDEL', keys.short_keys, dropped)
write('HSET', keys.short_keys, short)
write('ZREM', keys.keyed, out)
write('ZADD', keys.turns, turns)
call('ZADD', keys.forgotten, string.format('%d', now + run_policy.retention), table.concat(seqs, ','))
write('HDEL', keys.waiters, told_of)
count(task_state.running, -#seqs)
count(task_state.succeeded, #seqs)
write_rest(asleep)
return {'OK'}
