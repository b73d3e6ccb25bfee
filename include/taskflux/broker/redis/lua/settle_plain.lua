-- Ends attempts that returned results, of tasks about which nothing is special and which nobody has cancelled. SLOW, and
-- nothing has been done, when that is not so.
-- in:  KEYS queue HASH, states HASH, leases ZSET, forgotten ZSET, unclaimed ZSET, sleepers ZSET, waiters HASH, reports HASH,
--           names HASH, segments HASH, segment_index ZSET, set_aside HASH, a:… SET, ev STREAM
--      ARGV as `settle`
-- out: {'OK'}: all are done; DUE, NEED, SLOW
-- O(log n) an attempt.
local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
if not alive then return {'SLOW'} end
local mine = key(own_key.held .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end

local seqs, singles, forgotten, released = {}, {}, {}, {}
local awaited, unpack_struct, sub, byte = call('HLEN', keys.waiters), struct.unpack, string.sub, string.byte
local has_waiters = awaited > 2 or awaited > 0 and
                        awaited > call('HEXISTS', keys.waiters, waiter_field.place) +
                            call('HEXISTS', keys.waiters, waiter_field.events)
local char = string.char
local of

for n = 2, #ARGV do
    local word = ARGV[n]
    local how, _, seq, nonce, token = unpack_struct(format.ending_to_token, word)
    if how ~= ending_kind.complete then return {'SLOW'} end
    if not of or seq < of.first or seq >= of.first + of.count then of = segment_of(seq) end
    if of then
        local at, changes = seq - of.first, of.changes
        local code = changes[at] or byte(of.text, of.codes_at + at)
        local hold = of.holds[code]
        if not hold or hold.consumer ~= consumer or token ~= 1 or #word > ending_at.data - 1 + bound.result or
            sub(word, ending_at.nonce, ending_at.token - 1) ~= sub(of.text, status_at.nonces + stored_size.nonce * at,
                                                                   status_at.nonces + stored_size.nonce * (at + 1) - 1) then
            return {'SLOW'}
        end
        if of.retention == 0 then
            if has_waiters and not are_heard(seq, #word) then return {'SLOW'} end
            erased[#erased + 1] = seq
        end
        local group = of.group
        if not group then
            group, of.low, of.high = {}, at, at
            of.group = group
        end
        if at < of.low then of.low = at elseif at > of.high then of.high = at end
        changes[at] = of.retention > 0 and member_code.succeeded or member_code.gone
        group[#group + 1] = char(at, code)
        group[#group + 1] = sub(word, ending_at.data_length)
        if has_waiters then
            ended[#ended + 1] = {
                seq = seq, nonce = nonce, state = task_state.succeeded, failed = 0, result = sub(word, ending_at.data),
                error = ''
            }
        end
    else
        singles[#singles + 1] = n
        seqs[#seqs + 1] = seq
    end
end

-- Those that came alone.
local held, tries = {}, {}
local conditions = read(keys.states, seqs)
for n, seq in ipairs(seqs) do
    local word = ARGV[singles[n]]
    local state, failed = succeeded(conditions[n], word, consumer)
    if not state or held[seq] then return {'SLOW'} end
    held[seq] = true
    if failed > 0 then tries[seq] = failed + 1 end
    released[#released + 1] = seq
    states[#states + 1] = seq
    states[#states + 1] = state
    append(forgotten, now + run_policy.retention, seq)
    if has_waiters then
        local nonce = unpack_struct(format.u32, word, ending_at.nonce)
        ended[#ended + 1] = {
            seq = seq, nonce = nonce, state = task_state.succeeded, failed = failed, result = sub(word, ending_at.data),
            error = ''
        }
    end
end

-- Segments: their results, and which of them will be forgotten together.
local kept = #states / 2
for name, one in pairs(segments) do
    local many = one.group and #one.group / 2 or 0
    if many > 0 then
        local status, let_go = rewritten(one)
        store_segment(one, status)
        if let_go[consumer] then released[#released + 1] = '@' .. name end
        if one.retention > 0 then
            kept = kept + many
            local field = one.first .. 'o'
            local results = (call('HGET', keys.segments, field) or '') .. struct.pack(format.results, now, many) ..
                                table.concat(one.group)
            if #results > bound.results then return {'SLOW'} end
            also[#also + 1] = {'HSET', keys.segments, field, results}
            local from
            for index = one.low, one.high + 1 do
                local ends = one.changes[index] == member_code.succeeded
                if ends and not from then from = index end
                if from and not ends then
                    append(forgotten, math.min(now + one.retention, stored_time.never),
                           string.format('%d-%d', one.first + from, one.first + index - 1))
                    from = nil
                end
            end
        end
    end
end
local told = tell_waiters() or {}

-- A key of another type shows before the first write, or with it.
wakes = called_by(0, #ARGV - 1)
if wants(listens) then
    key(own_key.events)
    if #missing > 0 then return {'NEED', unpack(missing)} end
    for n = 2, #ARGV do
        local seq = unpack_struct(format.number, ARGV[n], ending_at.sequence)
        tell('succeeded', seq, tries[seq] or 1, '', consumer)
    end
end
call('ZCARD', keys.forgotten)
local has_reports = #erased > 0 and call('HLEN', keys.reports) > 0
local asleep = sleepers()
write('SREM', mine, released)
write('HSET', keys.states, states)
for moment, those in pairs(forgotten) do
    if moment < stored_time.never then call('ZADD', keys.forgotten, string.format('%d', moment), table.concat(those, ',')) end
end
write('HDEL', keys.waiters, told)
if has_reports then erase_reports() end
count(task_state.running, 1 - #ARGV)
count(task_state.succeeded, kept)
write_rest(asleep)
return {'OK'}
