-- Does what time alone brings about, some of it: promotes, gives up, takes back from the dead, forgets. how many
-- at most of each. {'OK', 1 if there is more}
local most = tonumber(ARGV[1])
local function overdue(set) return call('ZRANGE', set, '-inf', now, 'BYSCORE', 'LIMIT', 0, most) end

local scheduled = {}
for n, member in ipairs(overdue(d)) do scheduled[n] = tonumber(member) end
load(scheduled)
for _, seq in ipairs(scheduled) do
    local task = tasks[seq]
    sorted_sets[d][padded(seq)] = false
    if task and task.state == SCHEDULED then
        detach(task)
        make_ready(task, now)
    end
end

local limited = {}
for n, member in ipairs(overdue(e)) do limited[n] = tonumber(member) end
load(limited)
for _, seq in ipairs(limited) do
    local task = tasks[seq]
    sorted_sets[e][padded(seq)] = false
    if task and task.state < RUNNING and limit(task) <= now then give_up(task) end
end

local forgotten = 0
for _, member in ipairs(overdue(f)) do
    if forgotten >= most then break end
    local seqs = {}
    for seq in string.gmatch(member, '%d+') do seqs[#seqs + 1] = tonumber(seq) end
    load(seqs)
    for _, seq in ipairs(seqs) do
        local task = tasks[seq]
        if task and task.state >= SUCCEEDED and task.gone_at <= now then erase(task) end
    end
    sorted_sets[f][member] = false
    forgotten = forgotten + #seqs
end

local recovered = 0
for _, consumer in ipairs(overdue(C)) do
    local seqs = held_by(consumer)
    if #missing > 0 then break end
    local some = {}
    for n = 1, math.min(#seqs, most - recovered) do some[n] = seqs[n] end
    load(some)
    for _, seq in ipairs(some) do
        if tasks[seq] and tasks[seq].state == RUNNING then recover(tasks[seq]) end
    end
    recovered = recovered + #some
    if #some == #seqs then
        also[#also + 1] = {'ZREM', C, consumer}
        also[#also + 1] = {'HDEL', h, consumer}
    end
    if recovered >= most then break end
end
local reply = commit({'OK', 0})
if reply[1] == 'OK' and is_due() then reply[2] = 1 end
return reply
