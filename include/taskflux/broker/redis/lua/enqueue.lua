-- Stores tasks, all or none. producer, batch number, server's run id; then a record without its time and how it
-- begins ('' or hold, delay, at) for each. {'OK', first seq, [index, seq, nonce] of each duplicate…}
local producer = ARGV[1] ~= '' and key('p:' .. ARGV[1])
if #missing > 0 then return {'NEED', unpack(missing)} end
if producer then  -- the same batch again: its answer got lost
    local before = call('GET', producer)
    if before then
        local batch, at = struct.unpack('<d', before)
        if batch == tonumber(ARGV[2]) then return cmsgpack.unpack(string.sub(before, at)) end
    end
end
for n = 4, #ARGV, 2 do
    if string.byte(ARGV[n], 2) % 8 >= 2 then  -- who else has its id or key may be gone
        if is_due() then return {'DUE'} end
        break
    end
end

local queue_state = call('HMGET', c, 'seq', 'run')
local seq = tonumber(queue_state[1] or 0)
if ARGV[3] ~= '' and queue_state[2] ~= ARGV[3] then
    if queue_state[2] then seq = seq + 1048576 end  -- another server may have lost the last ones
    also[#also + 1] = {'HSET', c, 'run', ARGV[3]}
end
local reply = {'OK', seq + 1}
local time = struct.pack('<I6', now)

local function same(of)
    if of.own then
        if own_ids[of.own] == nil then own_ids[of.own] = call('HGET', k, of.own) or nil end
        local known = own_ids[of.own]
        if known then
            load({tonumber(known)})
            if tasks[tonumber(known)] then return tasks[tonumber(known)] end
        end
    end
    return of.unique and unique_holder(of.unique)
end

local plain, stored, byte = {}, 0, string.byte  -- most tasks: lists of those for each lane
for n = 4, #ARGV, 2 do
    local record, how = time .. ARGV[n], ARGV[n + 1]
    local flags, priority = byte(record, 8, 9)
    if flags % 8 == 0 and how == '' then
        seq = seq + 1
        local list = plain[priority]
        if not list then
            list = {}
            plain[priority] = list
        end
        list[#list + 1] = seq
        bodies[stored + 1], bodies[stored + 2] = seq, record
        stored = stored + 2
    else
        local task = fresh(seq + 1, record)
        local there = same(info(task))
        if there then
            reply[#reply + 1] = (n - 4) / 2
            reply[#reply + 1] = there.seq
            reply[#reply + 1] = there.nonce
        else
            seq = seq + 1
            tasks[seq] = task
            bodies[stored + 1], bodies[stored + 2] = seq, record
            stored = stored + 2
            if info(task).own then own_ids[info(task).own] = seq end
            lock_unique(task)
            local hold, delay, at = 0, 0, 0
            if how ~= '' then hold, delay, at = struct.unpack('<Bdd', how) end
            task.when = math.min(math.max(at, now + delay, now), forever)
            task.state = HELD
            count(HELD, 1)
            changed[seq] = true
            -- Those before it in its lane, first.
            local list = plain[priority]
            if list then
                for _, before in ipairs(list) do append(lanes_tail, lane(priority - 100), before) end
                ready = ready + #list
                plain[priority] = nil
            end
            if hold == 1 then
                watch_limit(task)
            else
                make_ready(task, task.when)
                if task.state == WAITING then
                    task.when = 0
                    changed[seq] = nil  -- nothing to say that the record does not
                end
            end
        end
    end
end
for priority, list in pairs(plain) do
    local name = lane(priority - 100)
    if lanes_tail[name] then
        for _, after in ipairs(list) do append(lanes_tail, name, after) end
    else
        lanes_tail[name] = list
    end
    ready = ready + #list
end
count(WAITING, ready - (counts[WAITING] or 0))
also[#also + 1] = {'HSET', c, 'seq', string.format('%d', seq)}
if producer then
    local answer = struct.pack('<d', tonumber(ARGV[2])) .. cmsgpack.pack(reply)
    also[#also + 1] = {'SET', producer, answer, 'PX', 600000}
end
return commit(reply)
