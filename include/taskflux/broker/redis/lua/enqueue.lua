-- Stores tasks, all or none. producer, batch number, server's run id; then a record without its time and how it
-- begins ('' or hold, delay, at) for each. {'OK', first seq, [index, seq, nonce] of each duplicate…}
local producer, batch = ARGV[1] ~= '' and key('p:' .. ARGV[1]), tonumber(ARGV[2])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(producer, batch)
if before then return before end
local known = call('HMGET', c, 'seq', 'run')
local seq = tonumber(known[1] or 0)
-- `maintain` must come first on a new server, and where who else has an id or key may be gone.
if ARGV[3] ~= '' and known[2] ~= ARGV[3] or is_due() then return {'DUE'} end

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

local reply, time = {'OK', seq + 1}, struct.pack('<I6', now)
for n = 4, #ARGV, 2 do
    local record, how = time .. ARGV[n], ARGV[n + 1]
    local task = fresh(seq + 1, record)
    local there = same(info(task))
    if there then
        reply[#reply + 1] = (n - 4) / 2
        reply[#reply + 1] = there.seq
        reply[#reply + 1] = there.nonce
    else
        seq = seq + 1
        tasks[seq] = task
        bodies[#bodies + 1] = seq
        bodies[#bodies + 1] = record
        if info(task).own then own_ids[info(task).own] = seq end
        lock_unique(task)
        local hold, delay, at = 0, 0, 0
        if how ~= '' then hold, delay, at = struct.unpack('<Bdd', how) end
        task.when = math.min(math.max(at, now + delay, now), forever)
        task.state = HELD
        count(HELD, 1)
        changed[seq] = true
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
also[#also + 1] = {'HSET', c, 'seq', string.format('%d', seq)}
remember_answer(producer, batch, reply)
return commit(reply)
