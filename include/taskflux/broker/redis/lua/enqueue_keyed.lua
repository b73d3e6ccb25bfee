-- Stores tasks that wait at once and of which nothing is special but that each has a key. SLOW, and nothing has been done,
-- where more than one limit without a rate holds their keys back.
-- in:  KEYS queue HASH, records HASH, unclaimed ZSET, sleepers ZSET, waiters HASH, names HASH, keyed ZSET, short_keys HASH,
--           turns ZSET, p:… STRING, ev STREAM
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
local reply, time, byte, sub = {'OK', seq + 1}, struct.pack(format.time, now), string.byte, string.sub
local records, names, places, place_of, orders, tasks_of = {}, {}, {}, {}, {}, {}
for n = 6, #ARGV, 2 do
    local body = ARGV[n]
    local name, order = lone_key(body, stored_size.time)
    if not name or ARGV[n + 1] ~= '' then return {'SLOW'} end
    seq = seq + 1
    records[#records + 1] = seq
    records[#records + 1] = time .. body
    local place = place_of[name]
    if not place then
        place = #names + 1
        names[place], place_of[name] = name, place
    end
    places[#places + 1], orders[#orders + 1] = place, order
    local task = sub(body, body_at.name, body_at.name - 1 + byte(body, body_at.name_length))
    tasks_of[task] = (tasks_of[task] or 0) + 1
    if is_told then tell('submitted', seq, 0, task, '') end
end
for task, many in pairs(tasks_of) do count_submitted(task, many) end

-- The form of each key, and whether its tasks may start.
local turns, texts = call('ZMSCORE', keys.turns, unpack(names)), call('HMGET', keys.short_keys, unpack(names))
local are_long, may_start, new, startable = call('EXISTS', keys.keyed) == 1, {}, {}, 0
for place, name in ipairs(names) do
    local text = texts[place]
    if text and not is_short_form(text) then return {'SLOW'} end
    if not text and not (are_long and has_long_form(name)) then
        text = short_none
        texts[place] = text
    end
    may_start[place] = turns[place]
    if not turns[place] and (most == math.huge or (text and byte(text) or running_of(name)) < most) then
        turn = turn + 1
        new[#new + 1] = turn
        new[#new + 1] = name
        may_start[place] = true
    end
end
local members, dropped, short = {}, {}, {}
local function add_member(member)
    members[#members + 1] = '0'
    members[#members + 1] = member
end
for n, place in ipairs(places) do
    local text, number = texts[place], reply[2] + n - 1
    if may_start[place] then startable = startable + 1 end
    if text and #text >= bound.short_text then
        for _, those in ipairs({members_in(names[place], text)}) do
            for _, member in ipairs(those) do add_member(member) end
        end
        dropped[#dropped + 1] = names[place]
        text, texts[place] = false, false
    end
    if text then texts[place] = with_task(text, orders[n], number)
    else add_member(key_letter.waiting .. names[place] .. member_end(orders[n], number)) end
end
for place, name in ipairs(names) do
    if texts[place] then
        short[#short + 1] = name
        short[#short + 1] = texts[place]
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
write('HSET', keys.short_keys, short)
write('HDEL', keys.short_keys, dropped)
write('ZADD', keys.keyed, members)
write('ZADD', keys.turns, new)
call('HSET', keys.queue, 'seq', string.format('%d', seq), counter.waiting, string.format('%d', (whole(known[3]) or 0) + many))
remember_answer(producer, batch, reply)
write_rest(asleep)
return reply
