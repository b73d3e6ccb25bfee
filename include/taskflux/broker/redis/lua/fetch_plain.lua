-- Hands out tasks while the next ones are plain: nothing has happened to them, and they have neither own id, unique key nor
-- deadline. Stops at the first that is not: then there is more, or, when nothing came before that, SLOW.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, unclaimed ZSET, sleepers ZSET,
--           names HASH, segments HASH, set_aside HASH, keyed ZSET, short_keys HASH, turn_times ZSET, l:… LIST, a:… SET, ev
--           STREAM
--      ARGV as `fetch`
-- out: as `fetch`; also pieces of segments: [-first number, piece, nonces]; DUE, LOST, NEED, SLOW
-- O(1) a task.
local consumer, most, inbox, sleeper, signature = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local alive, is_expired = has_lease(consumer)
local is_behind = ARGV[6] == '1'
if is_expired and not is_behind then return {'DUE'} end
if not alive then return {'LOST'} end
local has_due = due(keys.leases)
if has_due and not is_behind then return {'DUE'} end
local unusual, sleeping = call('EXISTS', keys.scheduled, keys.limited, keys.unclaimed, keys.sleepers, keys.keyed,
                               keys.short_keys, keys.turn_times) > 0, false
if unusual then
    if call('EXISTS', keys.keyed, keys.short_keys) > 0 or due(keys.turn_times) then return {'SLOW'} end
    has_due = has_due or due(keys.scheduled) or due(keys.limited)
    if has_due and not is_behind then return {'DUE'} end
    sleeping = call('ZCARD', keys.sleepers) > 0
end
local names
if #ARGV > 6 then
    names = {}
    for n = 7, #ARGV do names[ARGV[n]] = true end
end
if unusual and call('EXISTS', keys.unclaimed) == 1 then  -- perhaps something is for this consumer that others have passed over
    if not names then return {'SLOW'} end
    for name in pairs(names) do
        local first = call('ZRANGEBYLEX', keys.unclaimed, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, 1)[1]
        if first then return {'SLOW'} end
    end
end
if inbox ~= '' then myself = table.concat({inbox, sleeper, signature}, '\n') end

local _, lanes, watcher, watching, waiting, running
most, _, lanes, watcher, watching, waiting, running =
    admit(most, 'lanes', 'watcher', 'watching', counter.waiting, counter.running)
if gate and gate.damage then return {'SLOW'} end
local is_told = wants(listens)
if is_told then key(own_key.events) end
waiting, running = whole(waiting) or 0, whole(running) or 0
local priorities = priorities_in(lanes)
for _, priority in ipairs(priorities) do lane(priority) end
if #missing > 0 then return {'NEED', unpack(missing)} end

local reply, found, held, taken_from, is_odd = {'OK', now, 0, -1}, 0, {}, {}, false
local head, tail = string.char(state_byte.running, state_bit.first_try), nil  -- a single task's state but for its nonce

-- Takes a piece of a segment; false when the next of its tasks is not plain.
local function take_piece(of)
    local start = string.find(of.text, member_pattern.ready, of.codes_at)
    local last = of.codes_at + of.count - 1
    of.is_rest = start and start <= last
    if not of.is_rest then return true end
    if string.byte(of.text, start) == member_code.in_turn then return false end
    local blob = call('HGET', keys.segments, of.first)
    if not blob or #blob < segment_at.name - 1 then return false end
    local version, flags, _, count, base, length = struct.unpack(format.segment_from_version, blob, segment_at.version)
    local ends = ends_in(length, flags)
    local is_whole = version == stored_version.record and count == of.count and
                         #blob >= ends - 1 + stored_size.segment_end * count
    local is_known = not names or names[string.sub(blob, segment_at.name, segment_at.name - 1 + length)]
    if not is_whole or not is_known or #of.holds >= member_code.most_holds then return false end
    local _, stop = string.find(of.text, member_pattern.waiting, start)
    stop = math.min(stop, last, start + most - found - 1)
    local many, at = stop - start + 1, start - of.codes_at
    of.is_rest = stop < last
    of.text = string.sub(of.text, 1, start - 1) .. string.rep(string.char(#of.holds + 1), many) .. string.sub(of.text, stop + 1)
    if not of.is_taken then
        of.is_taken = true
        taken_from[#taken_from + 1] = of
        held[#held + 1] = '@' .. of.name
    end
    found = found + many
    if is_told then
        local name = string.sub(blob, segment_at.name, segment_at.name - 1 + length)
        tell('started', of.first + at, 1, name, consumer, of.first + at + many - 1)
    end
    local piece = blob
    if many < of.count then
        local body = ends + stored_size.segment_end * of.count
        local first_end, next_end = ends + stored_size.segment_end * at, ends + stored_size.segment_end * (at + many)
        base = at > 0 and struct.unpack(format.u32, blob, first_end - stored_size.segment_end) or 0
        local stops_at = struct.unpack(format.u32, blob, next_end - stored_size.segment_end)
        piece = string.sub(blob, 1, segment_at.count - 1) .. struct.pack(format.segment_part, many, base) ..
                    string.sub(blob, segment_at.name_length, ends - 1) .. string.sub(blob, first_end, next_end - 1) ..
                    string.sub(blob, body + base, body + stops_at - 1)
    end
    reply[#reply + 1] = -of.first - at
    reply[#reply + 1] = piece
    reply[#reply + 1] = string.sub(of.text, status_at.nonces + stored_size.nonce * at,
                                    status_at.nonces - 1 + stored_size.nonce * (at + many))
    return true
end

-- Takes tasks that came alone, as long as they are plain; how many of them, and of how many bytes.
local function take_singles(seqs)
    local conditions, records = call('HMGET', keys.states, unpack(seqs)), call('HMGET', keys.records, unpack(seqs))
    local bytes = 0
    for n, seq in ipairs(seqs) do
        local record = records[n]
        if conditions[n] or not record or #record < record_at.name or
            #record < record_at.name - 1 + string.byte(record, record_at.name_length) or
            string.byte(record, record_at.version) ~= stored_version.record or
            is_special(string.byte(record, record_at.flags)) or names and not names[name_in(record)] then
            return n - 1, bytes
        end
        bytes = bytes + #record
        tail = tail or started_by(consumer)
        if is_told then tell('started', seq, 1, name_in(record), consumer) end
        local packed = head .. string.sub(record, record_at.nonce, record_at.name_length - 1) .. tail
        states[#states + 1] = seq
        states[#states + 1] = packed
        held[#held + 1] = seq
        reply[#reply + 1] = seq
        reply[#reply + 1] = record
        reply[#reply + 1] = packed
        found = found + 1
    end
    return #seqs, bytes
end

local trims, is_left, length, bytes, is_full = {}, false, bound.first_slice, 0, false
for _, priority in ipairs(priorities) do
    local name, taken, from = lane(priority), 0, 0
    while found < most and not is_odd and not is_full do
        local need = most - found
        local entries = redis.pcall('LRANGE', name, from, from + math.min(need, bound.first_page) - 1)
        if entries.err then is_odd = true end
        if #entries == 0 then break end
        if need > #entries and string.byte(entries[1]) ~= first_byte.segment then
            entries = call('LRANGE', name, from, from + need - 1)
        end
        from = from + #entries
        local at = 1
        while entries[at] and found < most and not is_odd and not is_full do
            if string.byte(entries[at]) == first_byte.segment then
                local before = #also
                local of = open_segment(string.sub(entries[at], 2))
                if #also > before then return {'SLOW'} end  -- it is damaged
                repeat is_odd = of and not take_piece(of) until is_odd or not of or not of.is_rest or found == most
                if not of or not of.is_rest then taken = taken + 1 end
                at = at + 1
            else
                local seqs, need_now = {}, math.min(length, most - found)
                while entries[at] and #seqs < need_now and string.byte(entries[at]) ~= first_byte.segment do
                    seqs[#seqs + 1] = whole(entries[at]) or 0
                    at = at + 1
                end
                local many, read_now = take_singles(seqs)
                taken, bytes = taken + many, bytes + read_now
                length, is_full = next_length(length, #seqs, read_now), bytes > bound.answer
                is_odd = many < #seqs
            end
        end
    end
    if taken > 0 then trims[#trims + 1] = {'LTRIM', name, taken, -1} end
    is_left = is_odd or is_left or sleeping and call('LLEN', name) > taken
    if is_odd or is_full then break end
end
if is_odd and found == 0 then return {'SLOW'} end
reply[3] = (is_odd or is_full) and 1 or has_due and 2 or 0
local due_next = gate and gate.start(found)
if due_next then also[#also + 1] = {'HSET', keys.queue, 'tat', due_next} end
reply[4] = leave_behind(consumer, sleeping, found > 0 or has_due, is_left, watcher, watching, signature,
                        names and table.concat(ARGV, '\n', 7))
local mine = key(own_key.held .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end
for _, command in ipairs(also) do
    if command[2] == keys.names then call('HLEN', keys.names) end  -- a key of another type shows here
end
local asleep = sleepers()

write('SADD', mine, held)  -- first, as it fails where the key has another type
for _, trim in ipairs(trims) do call(unpack(trim)) end
write('HSET', keys.states, states)
local hold = struct.pack(format.hold, now, #consumer) .. consumer
for _, of in ipairs(taken_from) do call('HSET', keys.segments, of.first .. 't', of.text .. hold) end
if found > 0 then
    call('HSET', keys.queue, counter.waiting, string.format('%d', waiting - found),
         counter.running, string.format('%d', running + found))
end
write_rest(asleep)
return reply
