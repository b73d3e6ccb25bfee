-- Hands out tasks that have a key while nothing is special about the next ones but that, and nothing else waits. Stops at the
-- first that is: then there is more, or, when nothing came before that, SLOW. So it is where limits of another kind hold keys
-- back, or it is time to look at all keys.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, unclaimed ZSET, sleepers ZSET,
--           names HASH, keyed ZSET, turns ZSET, turn_times ZSET, l:… LIST, a:… SET, ev STREAM
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
if call('EXISTS', keys.keyed) == 0 or call('EXISTS', keys.unclaimed, keys.turn_times) > 0 then return {'SLOW'} end
if has_passed() then return {'SLOW'} end
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
local visited, size = {}, math.min(math.ceil(most / math.max(#listed - 1, 1)), bound.key_page - 1) + 1
for _, name in ipairs(listed) do visited[#visited + 1] = {name = name, taken = 0} end
local is_part = #listed > most

local had_turn = false
-- The next member of a key that may start, nil where there is none, or no room.
local function next_of(of)
    if of.name == '' then
        had_turn = true
        return nil
    end
    if not of.page then
        of.page, of.at, of.chosen, of.room = members_of(of.name, nil, size), 0, 0, of_each
        if of_each < math.huge then of.room = of_each - running_of(of.name) end
    elseif of.at == #of.page and #of.page == size then
        of.page, of.at = members_of(of.name, of.page[#of.page], size), 0
    end
    local member = of.chosen < of.room and of.page[of.at + 1]
    if not member then return nil end
    of.at, of.chosen = of.at + 1, of.chosen + 1
    return member
end

-- What is next, key by key, until there are enough of them, or no more.
local round, members, owners, seqs = {unpack(visited)}, {}, {}, {}
while #round > 0 and #members < most do
    local left = {}
    for _, of in ipairs(round) do
        if #members == most then break end
        local member = next_of(of)
        if member then
            local seq = whole(string.sub(member, -unclaimed_tail.number))
            if not seq then return {'SLOW'} end
            members[#members + 1], owners[#owners + 1], seqs[#seqs + 1], left[#left + 1] = member, of, seq, of
        end
    end
    round = left
end

local reply, held, found, is_odd, out, back = {'OK', now, 0, -1}, {}, 0, false, {}, {}
local head = string.char(state_byte.running, state_bit.first_try + state_bit.special)
local tail = #seqs > 0 and started_by(consumer)
local conditions, records = read(keys.states, seqs), read(keys.records, seqs)
for n, seq in ipairs(seqs) do
    local record, of = records[n], owners[n]
    local name, order
    if not conditions[n] and record then name, order = lone_key(record, 0) end
    if name ~= of.name or key_letter.waiting .. name .. member_end(order, seq) ~= members[n] or
        names and not names[name_in(record)] then
        is_odd = true
        break
    end
    if is_told then tell('started', seq, 1, name_in(record), consumer) end
    local packed = head .. string.sub(record, record_at.nonce, record_at.name_length - 1) .. tail
    states[#states + 1] = seq
    states[#states + 1] = packed
    held[#held + 1] = seq
    out[#out + 1] = members[n]
    back[#back + 1] = '0'
    back[#back + 1] = key_letter.running .. string.sub(members[n], 2)
    reply[#reply + 1] = seq
    reply[#reply + 1] = record
    reply[#reply + 1] = packed
    of.taken, found = of.taken + 1, n
end
if is_odd and found == 0 then return {'SLOW'} end

-- Where keys belong now: behind all others, or nowhere. Where something odd has come, those of which nothing was handed out
-- stay where they are, and others may have more.
local turns, gone = {}, {}
for _, of in ipairs(visited) do
    if of.taken > 0 or of.page and not is_odd then
        local has_more = of.taken < of.chosen or of.at < #of.page
        if not has_more and #of.page == size then has_more = members_of(of.name, of.page[size], 1)[1] end
        if has_more and of.taken < of.room then
            turn = turn + 1
            turns[#turns + 1] = string.format('%d', turn)
            turns[#turns + 1] = of.name
        else
            gone[#gone + 1] = of.name
        end
    end
end
local has_plain = time_of(keys.turns, '')
local left = call('ZCARD', keys.turns) - #gone - (has_plain and 1 or 0)
if left < 1 and has_plain then
    gone[#gone + 1] = ''
elseif left > 0 and not is_odd and (had_turn or not has_plain) then
    turns[#turns + 1] = string.format('%d', turn + 1)
    turns[#turns + 1] = ''
end
reply[3] = (is_odd or is_part and found < most) and 1 or has_due and 2 or 0
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
