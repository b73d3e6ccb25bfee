-- `fetch` while the next tasks are plain: nothing has happened to them, and they have neither id, unique key nor
-- deadline. Stops at the first that is not: the answer then says that there is more, or is SLOW when nothing came
-- before that. Arguments and answer as there; the answer may also hold pieces of segments: [-first seq, piece, nonces].
local consumer, most, inbox, sleeper, signature = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
if not alive then return {'LOST'} end
if due(C) then return {'DUE'} end
local unusual, sleeping = call('EXISTS', d, e, u, i) > 0, false
if unusual then
    if due(d) or due(e) then return {'DUE'} end
    sleeping = call('EXISTS', i) == 1
end
local names
if #ARGV > 5 then
    names = {}
    for n = 6, #ARGV do names[ARGV[n]] = true end
end
if unusual and call('EXISTS', u) == 1 then  -- perhaps something is for this consumer that others have passed over
    if not names then return {'SLOW'} end
    for name in pairs(names) do
        if call('ZRANGEBYLEX', u, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, 1)[1] then return {'SLOW'} end
    end
end
if inbox ~= '' then myself = table.concat({inbox, sleeper, signature}, '\n') end

local state = call('HMGET', c, 'paused', 'lanes', 'watcher', 'watching', 'n' .. WAITING, 'n' .. RUNNING)
if state[1] then most = 0 end
local priorities = {}
for priority in string.gmatch(state[2] or '', '-?%d+') do
    priorities[#priorities + 1] = tonumber(priority)
    lane(priority)
end
if #missing > 0 then return {'NEED', unpack(missing)} end
if #priorities > 1 then table.sort(priorities, function(a, b) return a > b end) end

local reply, found, held, taken_from, is_odd = {'OK', now, 0, -1}, 0, {}, {}, false
local head, tail = string.char(RUNNING, 2), nil  -- the state of a task that came alone, but for its nonce

-- Takes a piece of a segment; false when the next of its tasks is not plain.
local function take_piece(of)
    local start = string.find(of.text, '[%z\253]', of.codes_at)
    local last = of.codes_at + of.count - 1
    of.is_rest = start and start <= last
    if not of.is_rest then return true end
    if string.byte(of.text, start) == IN_TURN then return false end
    local blob = call('HGET', b, of.first)
    if not blob or #blob < 16 then return false end
    local version, flags, _, count, base, length = struct.unpack('<BBBHI4B', blob, 7)
    local is_whole = version == 1 and count == of.count and #blob >= 16 + length + 36 * (flags % 2) + 4 * count
    local is_known = not names or names[string.sub(blob, 17, 16 + length)]
    if not is_whole or not is_known or #of.holds == MOST_HOLDS then return false end
    local _, stop = string.find(of.text, '^%z+', start)
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
    local piece = blob
    if many < of.count then
        local ends = 17 + length + (flags % 2 >= 1 and 36 or 0)
        local body = ends + 4 * of.count
        base = at > 0 and struct.unpack('<I4', blob, ends + 4 * at - 4) or 0
        local finish = struct.unpack('<I4', blob, ends + 4 * (at + many - 1))
        piece = string.sub(blob, 1, 9) .. struct.pack('<HI4', many, base) .. string.sub(blob, 16, ends - 1) ..
                    string.sub(blob, ends + 4 * at, ends + 4 * (at + many) - 1) ..
                    string.sub(blob, body + base, body + finish - 1)
    end
    reply[#reply + 1] = -of.first - at
    reply[#reply + 1] = piece
    reply[#reply + 1] = string.sub(of.text, 10 + 4 * at, 9 + 4 * (at + many))
    return true
end

-- Takes tasks that came alone, as long as they are plain; how many of them.
local function take_singles(seqs)
    local conditions, records = call('HMGET', s, unpack(seqs)), call('HMGET', r, unpack(seqs))
    for n, seq in ipairs(seqs) do
        local record = records[n]
        if conditions[n] or not record or #record < 15 or #record < 14 + string.byte(record, 14) or string.byte(record, 7) ~= 1 or is_special(string.byte(record, 8)) or
            names and not names[string.sub(record, 15, 14 + string.byte(record, 14))] then
            return n - 1
        end
        tail = tail or started_by(consumer)
        local packed = head .. string.sub(record, 10, 13) .. tail
        states[#states + 1] = seq
        states[#states + 1] = packed
        held[#held + 1] = seq
        reply[#reply + 1] = seq
        reply[#reply + 1] = record
        reply[#reply + 1] = packed
        found = found + 1
    end
    return #seqs
end

local trims, is_left = {}, false
for _, priority in ipairs(priorities) do
    local name, taken, from = lane(priority), 0, 0
    while found < most and not is_odd do
        local need = most - found
        local entries = redis.pcall('LRANGE', name, from, from + math.min(need, 4) - 1)
        if entries.err then is_odd = true end
        if #entries == 0 then break end
        if need > #entries and string.byte(entries[1]) ~= 64 then entries = call('LRANGE', name, from, from + need - 1) end
        from = from + #entries
        local at = 1
        while entries[at] and found < most and not is_odd do
            if string.byte(entries[at]) == 64 then
                local of = open_segment(string.sub(entries[at], 2))
                if #also > 0 then return {'SLOW'} end  -- it is damaged
                repeat is_odd = of and not take_piece(of) until is_odd or not of or not of.is_rest or found == most
                if not of or not of.is_rest then taken = taken + 1 end
                at = at + 1
            else
                local seqs = {}
                while entries[at] and #seqs < most - found and string.byte(entries[at]) ~= 64 do
                    seqs[#seqs + 1] = tonumber(entries[at]) or 0
                    at = at + 1
                end
                local many = take_singles(seqs)
                taken = taken + many
                is_odd = many < #seqs
            end
        end
    end
    if taken > 0 then trims[#trims + 1] = {'LTRIM', name, taken, -1} end
    is_left = is_odd or is_left or sleeping and call('LLEN', name) > taken
    if is_odd then break end
end
if is_odd and found == 0 then return {'SLOW'} end
reply[3] = is_odd and 1 or 0
reply[4] = leave_behind(sleeping, found > 0, is_left, state, signature, names and table.concat(ARGV, '\n', 6))
local mine = key('a:' .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end
local asleep = sleepers()

for _, trim in ipairs(trims) do call(unpack(trim)) end
write('HSET', s, states)
local hold = struct.pack('<dB', now, #consumer) .. consumer
for _, of in ipairs(taken_from) do call('HSET', b, of.first .. 't', of.text .. hold) end
if found > 0 then
    write('SADD', mine, held)
    call('HSET', c, 'n' .. WAITING, string.format('%d', state[5] - found), 'n' .. RUNNING, string.format('%d', (state[6] or 0) + found))
end
write_rest(asleep)
return reply
