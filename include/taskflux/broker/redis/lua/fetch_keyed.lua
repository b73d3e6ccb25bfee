-- Hands out tasks that have a key while nothing is special about the next ones but that, and nothing else waits. Stops at the
-- first that is: then there is more, or, when nothing came before that, SLOW. So it is where limits of another kind hold keys
-- back, or it is time to look at all keys.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, unclaimed ZSET, sleepers ZSET,
--           names HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, l:… LIST, a:… SET, ev STREAM
--      ARGV as `fetch`
-- out: as `fetch`; DUE, LOST, NEED, SLOW
-- O(log n) a task.
local consumer, most, inbox, sleeper, signature = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local alive, is_expired = has_lease(consumer)
local is_behind = ARGV[6] == '1'
if is_expired and not is_behind then return {'DUE'} end
if not alive then return {'LOST'} end
local has_due = due(keys.leases) or due(keys.scheduled) or due(keys.limited)
if has_due and not is_behind then return {'DUE'} end
if call('EXISTS', keys.keyed, keys.short_keys) == 0 then return {'SLOW'} end
if call('EXISTS', keys.unclaimed, keys.turn_times) > 0 or has_passed() then return {'SLOW'} end
local names
if #ARGV > 6 then
    names = {}
    for n = 7, #ARGV do names[ARGV[n]] = true end
end
if inbox ~= '' then myself = table.concat({inbox, sleeper, signature}, '\n') end

local _, lanes, watcher, watching, waiting, running, each, own, sifting, sifted, sift_took
most, _, lanes, watcher, watching, waiting, running, each, own, sifting, sifted, sift_took =
    admit(most, 'lanes', 'watcher', 'watching', counter.waiting, counter.running, 'each', 'own', 'sift', 'sifted', 'sift_took')
local of_each, turn = limit_of_each(each, own), latest_turn()
if gate and gate.damage or not of_each or not turn or sifting or is_sift_due(sifted, sift_took) then return {'SLOW'} end
local is_told = wants(listens)
if is_told then key(own_key.events) end
waiting, running = whole(waiting) or 0, whole(running) or 0
local lane_names = {}
for n, priority in ipairs(priorities_in(lanes)) do lane_names[n] = lane(priority) end
local mine = key(own_key.held .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end
if #lane_names > 0 and call('EXISTS', unpack(lane_names)) > 0 then return {'SLOW'} end

-- Keys in the order of their turns. The tasks without a key, of which there are none, have one too: ''.
local listed = most > 0 and call('ZRANGE', keys.turns, 0, most) or {}
local texts = #listed > 0 and call('HMGET', keys.short_keys, unpack(listed)) or {}
local size = math.min(math.ceil(most / math.max(#listed - 1, 1)), bound.key_page - 1) + 1
local byte, unpack_struct = string.byte, struct.unpack

local chosen, has_of, ran_of = {}, {}, {}
-- Of those that have the other form: order and number of the next task that may start, nil where there is none, or no room.
local others, had_turn = {}, false
local function next_of(place)
    local of, name = others[place], listed[place]
    if name == '' then
        had_turn = true
        return nil
    elseif not of then
        of = {page = members_of(name, nil, size), at = 0, room = of_each < math.huge and of_each - running_of(name) or of_each}
        others[place], chosen[place] = of, 0
    elseif of.at == #of.page and #of.page == size then
        of.page, of.at = members_of(name, of.page[#of.page], size), 0
    end
    local member = chosen[place] < of.room and of.page[of.at + 1]
    if not member then return nil end
    of.at = of.at + 1
    return whole(string.sub(member, -unclaimed_tail.order, -unclaimed_tail.number - 2)) or -1,
           whole(string.sub(member, -unclaimed_tail.number)) or 0
end

-- What is next, key by key, until there are enough of them, or no more. Of each key: how many it has in its short form, and of
-- these run, and how many were chosen.
local owners, orders, seqs, chosen_before = {}, {}, {}, -1
while #seqs < most and #seqs > chosen_before do
    chosen_before = #seqs
    for place = 1, #listed do
        if #seqs == most then break end
        local text, order, seq = texts[place], nil, nil
        if not text then
            order, seq = next_of(place)
        else
            if not chosen[place] then
                if not is_short_form(text) then return {'SLOW'} end
                chosen[place], has_of[place], ran_of[place] = 0, (#text - 1) / short_size.task, byte(text)
            end
            local at = ran_of[place] + chosen[place]
            if at < has_of[place] and at < of_each then
                if at >= bound.short_running then return {'SLOW'} end
                order, seq = unpack_struct(format.short_task, text, place_in(at + 1))
            end
        end
        if seq then
            local n = #seqs + 1
            owners[n], orders[n], seqs[n], chosen[place] = place, order, seq, chosen[place] + 1
        end
    end
end

local reply, held, found, is_odd, out, back, taken = {'OK', now, 0, -1}, {}, 0, false, {}, {}, {}
local head = string.char(state_byte.running, state_bit.first_try + state_bit.special)
local tail = #seqs > 0 and started_by(consumer)
local conditions, records = read(keys.states, seqs), read(keys.records, seqs)
for n, seq in ipairs(seqs) do
    local record, place = records[n], owners[n]
    local name, order
    if not conditions[n] and record then name, order = lone_key(record, 0) end
    if name ~= listed[place] or order ~= orders[n] or names and not names[name_in(record)] then
        is_odd = true
        break
    end
    if is_told then tell('started', seq, 1, name_in(record), consumer) end
    local packed = head .. string.sub(record, record_at.nonce, record_at.name_length - 1) .. tail
    states[#states + 1] = seq
    states[#states + 1] = packed
    held[n] = seq
    if not texts[place] then
        local ends = member_end(order, seq)
        out[#out + 1] = key_letter.waiting .. name .. ends
        back[#back + 1] = '0'
        back[#back + 1] = key_letter.running .. name .. ends
    end
    reply[#reply + 1] = seq
    reply[#reply + 1] = record
    reply[#reply + 1] = packed
    taken[place], found = (taken[place] or 0) + 1, n
end
if is_odd and found == 0 then return {'SLOW'} end

-- Where keys belong now: behind all others, or nowhere. Where something odd has come, those of which nothing was handed out
-- stay where they are, and others may have more.
local turns, gone, short = {}, {}, {}
for place, name in ipairs(listed) do
    local many, text, has_more = taken[place] or 0, texts[place], false
    if chosen[place] and (many > 0 or not is_odd) then
        if text then
            local runs = ran_of[place] + many
            has_more = runs < has_of[place] and runs < of_each
            if many > 0 then
                short[#short + 1] = name
                short[#short + 1] = string.char(runs) .. string.sub(text, 2)
            end
        else
            local of = others[place]
            has_more = many < chosen[place] or of.at < #of.page
            if not has_more and #of.page == size then has_more = members_of(name, of.page[size], 1)[1] end
            has_more = has_more and many < of.room
        end
        if has_more then
            turn = turn + 1
            turns[#turns + 1] = turn
            turns[#turns + 1] = name
        else
            gone[#gone + 1] = name
        end
    end
end
local has_plain = time_of(keys.turns, '')
local left = call('ZCARD', keys.turns) - #gone - (has_plain and 1 or 0)
if left < 1 and has_plain then
    gone[#gone + 1] = ''
elseif left > 0 and not is_odd and (had_turn or not has_plain) then
    turns[#turns + 1] = turn + 1
    turns[#turns + 1] = ''
end
reply[3] = (is_odd or #listed > most and found < most) and 1 or has_due and 2 or 0
local due_next = gate and gate.start(found)
if due_next then also[#also + 1] = {'HSET', keys.queue, 'tat', due_next} end
local sleeping = call('ZCARD', keys.sleepers) > 0
reply[4] = leave_behind(consumer, sleeping, found > 0 or reply[3] > 0, left > 0, watcher, watching, signature,
                        names and table.concat(ARGV, '\n', 7))
for _, command in ipairs(also) do
    if command[2] == keys.names then call('HLEN', keys.names) end  -- a key of another type shows here
end
local asleep = sleepers()

write('SADD', mine, held)  -- first, as it fails where the key has another type
write('HSET', keys.states, states)
write('HSET', keys.short_keys, short)
write('ZREM', keys.keyed, out)
write('ZADD', keys.keyed, back)
write('ZREM', keys.turns, gone)
write('ZADD', keys.turns, turns)
if found > 0 then
    call('HSET', keys.queue, counter.waiting, string.format('%d', waiting - found),
         counter.running, string.format('%d', running + found))
end
write_rest(asleep)
return reply
