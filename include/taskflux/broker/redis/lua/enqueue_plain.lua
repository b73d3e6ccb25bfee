-- Stores tasks that wait at once and have neither own id, unique key nor deadline.
-- in:  KEYS queue HASH, records HASH, unclaimed ZSET, sleepers ZSET, waiters HASH, names HASH, segments HASH, segment_index
--           ZSET, l:… LIST, p:… STRING, ev STREAM
--      ARGV producer ('': none), batch number, the server's run id, channel that will hear of ends or '', of which ones (by
--           place, 2 bytes each); then of each: record without its time and '', or segment without its time and the start of
--           its status
-- out: {'OK', first number}; DUE, FULL (how many new ones, how many are there, of at most), NEED, NEW
-- O(1) a task, O(log n) a segment.
local producer, batch = ARGV[1] ~= '' and key(own_key.producer .. ARGV[1]), tonumber(ARGV[2])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(producer, batch)
if before then return before end
local known = call('HMGET', keys.queue, 'seq', 'run', 'lanes', counter.waiting, 'paused', 'events')
if not known[1] then return {'NEW'} end
local seq = last_number(known[1])
if is_new_server(ARGV[3], known[2]) then return {'DUE'} end  -- a new server: `maintain` must come first

listens = known[6] or false
local is_told = wants(listens)
if is_told then key(own_key.events) end
local reply, time = {'OK', seq + 1}, struct.pack(format.time, now)
local lanes, records, stored, index, byte = {}, {}, {}, {}, string.byte
for n = 6, #ARGV, 2 do
    local body, status = ARGV[n], ARGV[n + 1]
    local priority, first, entry = byte(body, body_at.priority), seq + 1, nil
    local name_at, name_length = body_at.name, body_at.name_length
    if status == '' then
        seq = first
        entry = first
        records[#records + 1] = first
        records[#records + 1] = time .. body
    else
        local members = (#status - status_at.nonces + 1) / stored_size.nonce
        seq = seq + members
        name_at, name_length = segment_body_at.name, segment_body_at.name_length
        entry = string.format('%d:%d', first, members)
        index[#index + 1] = first
        index[#index + 1] = entry
        entry = '@' .. entry
        stored[#stored + 1] = first
        stored[#stored + 1] = time .. body
        stored[#stored + 1] = first .. 't'
        stored[#stored + 1] = status .. string.rep('\0', members)  -- each `member_code.waits`
    end
    if is_told then
        local name = string.sub(body, body_at.name, body_at.name - 1 + string.byte(body, body_at.name_length))
        if status == '' then
            tell('submitted', seq, 0, name, '')
        else  -- a segment counts its tasks before their name
            local length = string.byte(body, segment_at.name_length - stored_size.time)
            local from = segment_at.name - stored_size.time
            tell('submitted', first, 0, string.sub(body, from, from - 1 + length), '', seq)
        end
    end
    local entries = lanes[priority]
    if not entries then
        entries = {}
        lanes[priority] = entries
    end
    entries[#entries + 1] = entry
    count_submitted(string.sub(body, name_at, name_at - 1 + byte(body, name_length)), seq + 1 - first)
end
local priorities = {}
for priority in pairs(lanes) do priorities[#priorities + 1] = priority - stored_base.priority end
know_lanes(known[3] or ',', priorities)
for _, priority in ipairs(priorities) do lane(priority) end
if #missing > 0 then return {'NEED', unpack(missing)} end
-- A key of another type shows before the first write, or with it.
for _, priority in ipairs(priorities) do call('LLEN', lane(priority)) end
if #stored > 0 then
    call('HLEN', keys.segments)
    call('ZCARD', keys.segment_index)
end
if #records > 0 then call('HLEN', keys.records) end
local many = seq - reply[2] + 1
local refused = known[5] and refusal(known[5], many)
if refused then return refused end
wakes = known[5] and called_by(many, 0) or math.min(many, bound.wakes)
shows = true
local asleep = sleepers()

local heard_of, at = {}, 1
while at < #ARGV[5] do
    local place
    place, at = struct.unpack(format.u16, ARGV[5], at)
    heard_of[#heard_of + 1] = reply[2] + place
    heard_of[#heard_of + 1] = ARGV[4] .. '\n'
end
write('HSET', keys.waiters, heard_of)
write('HSET', keys.records, records)
write('HSET', keys.segments, stored)
write('ZADD', keys.segment_index, index)
for _, priority in ipairs(priorities) do write('RPUSH', lane(priority), lanes[priority + stored_base.priority]) end
call('HSET', keys.queue, 'seq', string.format('%d', seq), counter.waiting, string.format('%d', (whole(known[4]) or 0) + many))
remember_answer(producer, batch, reply)
write_rest(asleep)
return reply
