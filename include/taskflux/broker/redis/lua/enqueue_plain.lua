-- `enqueue` for tasks that wait at once and have neither id, unique key nor deadline. producer, batch number, server's
-- run id, channel that will hear of ends or '', of which ones (by place, 2 bytes each); then a record without its time
-- and '', or a segment without its time and the start of its status, for each. {'OK', first seq}
local producer, batch = ARGV[1] ~= '' and key('p:' .. ARGV[1]), tonumber(ARGV[2])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(producer, batch)
if before then return before end
local known = call('HMGET', c, 'seq', 'run', 'lanes', 'n' .. WAITING)
local seq = tonumber(known[1] or 0)
if ARGV[3] ~= '' and known[2] ~= ARGV[3] then return {'DUE'} end  -- a new server: `maintain` must come first

local reply, time = {'OK', seq + 1}, struct.pack('<I6', now)
local lanes, records, stored, index = {}, {}, {}, {}
for n = 6, #ARGV, 2 do
    local body, status = ARGV[n], ARGV[n + 1]
    local priority, first, entry = string.byte(body, 3), seq + 1, nil
    if status == '' then
        seq = first
        entry = first
        records[#records + 1] = first
        records[#records + 1] = time .. body
    else
        local members = (#status - 9) / 4
        seq = seq + members
        entry = string.format('%d:%d', first, members)
        index[#index + 1] = first
        index[#index + 1] = entry
        entry = '@' .. entry
        stored[#stored + 1] = first
        stored[#stored + 1] = time .. body
        stored[#stored + 1] = first .. 't'
        stored[#stored + 1] = status .. string.rep('\0', members)
    end
    local entries = lanes[priority]
    if not entries then
        entries = {}
        lanes[priority] = entries
    end
    entries[#entries + 1] = entry
end
local priorities = {}
for priority in pairs(lanes) do priorities[#priorities + 1] = priority - 100 end
know_lanes(known[3] or ',', priorities)
for _, priority in ipairs(priorities) do lane(priority) end
if #missing > 0 then return {'NEED', unpack(missing)} end
for _, priority in ipairs(priorities) do call('LLEN', lane(priority)) end  -- a key of another type shows before the first write
local many = seq - reply[2] + 1
wakes = math.min(many, 8)
local asleep = sleepers()

local heard_of, at = {}, 1
while at < #ARGV[5] do
    local place
    place, at = struct.unpack('<H', ARGV[5], at)
    heard_of[#heard_of + 1] = reply[2] + place
    heard_of[#heard_of + 1] = ARGV[4] .. '\n'
end
write('HSET', w, heard_of)
write('HSET', r, records)
write('HSET', b, stored)
write('ZADD', B, index)
for _, priority in ipairs(priorities) do write('RPUSH', lane(priority), lanes[priority + 100]) end
call('HSET', c, 'seq', string.format('%d', seq), 'n' .. WAITING, string.format('%d', (known[4] or 0) + many))
remember_answer(producer, batch, reply)
write_rest(asleep)
return reply
