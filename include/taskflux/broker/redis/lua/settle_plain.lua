-- `settle` when all return results, of tasks about which nothing is special and whose end nobody has asked for; or
-- SLOW, and nothing has been done. Arguments as there; without an effect in the answer, all are 0.
local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
if not alive then return {'SLOW'} end
local mine = key('a:' .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end

local seqs, singles, forgotten, released = {}, {}, {}, {}
local has_waiters, unpack_struct, sub, byte = call('EXISTS', w) == 1, struct.unpack, string.sub, string.byte
local char = string.char
local of

for n = 2, #ARGV do
    local word = ARGV[n]
    local how, _, seq, nonce, token = unpack_struct('<BBdI4I4', word)
    if how ~= 0 then return {'SLOW'} end
    if not of or seq < of.first or seq >= of.first + of.count then of = segment_of(seq) end
    if of then
        local at, changes = seq - of.first, of.changes
        local code = changes[at] or byte(of.text, of.codes_at + at)
        local hold = of.holds[code]
        if not hold or hold.consumer ~= consumer or token ~= 1 or #word > 30 + 1024 or
            sub(word, 11, 14) ~= sub(of.text, 10 + 4 * at, 13 + 4 * at) then
            return {'SLOW'}
        end
        local group = of.group
        if not group then
            group, of.low, of.high = {}, at, at
            of.group = group
        end
        if at < of.low then of.low = at elseif at > of.high then of.high = at end
        changes[at] = of.retention > 0 and DONE or GONE
        group[#group + 1] = char(at, code)
        group[#group + 1] = sub(word, 27)
        if has_waiters then
            ended[#ended + 1] = {seq = seq, nonce = nonce, state = SUCCEEDED, failed = 0, result = sub(word, 31), error = ''}
        end
    else
        singles[#singles + 1] = n
        seqs[#seqs + 1] = seq
    end
end

-- Those that came alone.
local held = {}
local conditions = read(s, seqs)
for n, seq in ipairs(seqs) do
    local word = ARGV[singles[n]]
    local state, failed = succeeded(conditions[n], word, consumer)
    if not state or held[seq] then return {'SLOW'} end
    held[seq] = true
    released[#released + 1] = seq
    states[#states + 1] = seq
    states[#states + 1] = state
    append(forgotten, now + RETENTION, seq)
    if has_waiters then
        local nonce = unpack_struct('<I4', word, 11)
        ended[#ended + 1] = {seq = seq, nonce = nonce, state = SUCCEEDED, failed = failed, result = sub(word, 31), error = ''}
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
            local results = (call('HGET', b, field) or '') .. struct.pack('<dB', now, many) .. table.concat(one.group)
            if #results > 65536 then return {'SLOW'} end
            also[#also + 1] = {'HSET', b, field, results}
            local from
            for index = one.low, one.high + 1 do
                local ends = one.changes[index] == DONE
                if ends and not from then from = index end
                if from and not ends then
                    append(forgotten, math.min(now + one.retention, forever),
                           string.format('%d-%d', one.first + from, one.first + index - 1))
                    from = nil
                end
            end
        end
    end
end
local told = tell_waiters() or {}

write('HSET', s, states)
write('SREM', mine, released)
for moment, those in pairs(forgotten) do
    if moment < forever then call('ZADD', f, string.format('%d', moment), table.concat(those, ',')) end
end
write('HDEL', w, told)
count(RUNNING, 1 - #ARGV)
count(SUCCEEDED, kept)
write_rest({})
return {'OK'}
