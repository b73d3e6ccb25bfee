-- Stores tasks that wait at once and of which nothing is special but that each has a key. SLOW, and nothing has been done,
-- where more than one limit without a rate holds their keys back.
-- in:  KEYS queue HASH, records HASH, unclaimed ZSET, sleepers ZSET, waiters HASH, names HASH, keyed ZSET, turns ZSET, p:…
--           STRING, ev STREAM
--      ARGV as `enqueue`
-- out: {'OK', first number}; DUE, NEED, NEW, SLOW
-- O(log n) a task.
local producer, batch = ARGV[1] ~= '' and key(own_key.producer .. ARGV[1]), tonumber(ARGV[2])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(producer, batch)
if before then return before end
local known = call('HMGET', keys.queue, 'seq', 'run', counter.waiting, 'paused', 'events', 'each', 'own')
if not known[1] then return {'NEW'} end
local seq = last_number(known[1])
if is_new_server(ARGV[3], known[2]) then return {'DUE'} end  -- a new server: `maintain` must come first
local most, turn = limit_of_each(known[6], known[7]), latest_turn()
if not most or not turn or has_passed() then return {'SLOW'} end

listens = known[5] or false
local is_told = wants(listens)
if is_told then key(own_key.events) end
if #missing > 0 then return {'NEED', unpack(missing)} end
local reply, time = {'OK', seq + 1}, struct.pack(format.time, now)
local records, members, names, fresh_of = {}, {}, {}, {}
for n = 6, #ARGV, 2 do
    local body = ARGV[n]
    local name, order = lone_key(body, stored_size.time)
    if not name or ARGV[n + 1] ~= '' then return {'SLOW'} end
    seq = seq + 1
    records[#records + 1] = seq
    records[#records + 1] = time .. body
    members[#members + 1] = '0'
    members[#members + 1] = key_letter.waiting .. name .. member_end(order, seq)
    if not fresh_of[name] then names[#names + 1] = name end
    fresh_of[name] = (fresh_of[name] or 0) + 1
    local task = string.sub(body, body_at.name, body_at.name - 1 + string.byte(body, body_at.name_length))
    if is_told then tell('submitted', seq, 0, task, '') end
    count_submitted(task, 1)
end

local turns, new, startable = call('ZMSCORE', keys.turns, unpack(names)), {}, 0
for n, name in ipairs(names) do
    if turns[n] then
        startable = startable + fresh_of[name]
    elseif most == math.huge or running_of(name) < most then
        startable, turn = startable + fresh_of[name], turn + 1
        new[#new + 1] = string.format('%d', turn)
        new[#new + 1] = name
    end
end
local many = seq - reply[2] + 1
if known[4] and refusal(known[4], many) then return {'SLOW'} end  -- what falls due may make room
wakes = startable > 0 and called_by(startable, 0) or 0
shows = true
local asleep = sleepers()
call('HLEN', keys.records)  -- a key of another type shows here

local heard_of, at = {}, 1
while at < #ARGV[5] do
    local place
    place, at = struct.unpack(format.u16, ARGV[5], at)
    heard_of[#heard_of + 1] = reply[2] + place
    heard_of[#heard_of + 1] = ARGV[4] .. '\n'
end
write('HSET', keys.waiters, heard_of)
write('HSET', keys.records, records)
write('ZADD', keys.keyed, members)
write('ZADD', keys.turns, new)
call('HSET', keys.queue, 'seq', string.format('%d', seq), counter.waiting, string.format('%d', (whole(known[3]) or 0) + many))
remember_answer(producer, batch, reply)
write_rest(asleep)
return reply
