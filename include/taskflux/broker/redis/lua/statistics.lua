-- Reads a queue's statistics.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           segments HASH, segment_index ZSET, set_aside HASH, statistics HASH, l:… LIST
--      ARGV none
-- out: {'OK', now in ms, since when the task that has waited longest has been due (0: none waits), then name and counts of
--      several parts, which add up}; DUE, NEED
-- O(names + priorities).
if is_due() then return {'DUE'} end
local seqs, oldest = {}, now
local lanes = priorities_in(call('HGET', keys.queue, 'lanes'))
for _, priority in ipairs(lanes) do lane(priority) end
if #missing > 0 then return {'NEED', unpack(missing)} end

local function see(seq)
    load({seq}, true)
    local task = tasks[seq]
    if not task or task.state ~= task_state.waiting then return false end
    oldest = math.min(oldest, math.max(info(task).submitted, task.when))
    return true
end

-- Those in front of a lane may be remnants of tasks that have gone.
for _, priority in ipairs(lanes) do
    local entries = redis.pcall('LRANGE', lane(priority), 0, bound.passed_over - 1)
    for _, entry in ipairs(entries.err and {} or entries) do
        local is_found = false
        if string.byte(entry) == first_byte.segment then
            local of = open_segment(string.sub(entry, 2))
            local place = of and string.find(of.text, member_pattern.ready, of.codes_at)
            is_found = place and place < of.codes_at + of.count and see(of.first + place - of.codes_at)
        else
            is_found = see(whole(entry) or 0)
        end
        if is_found then break end
    end
end
local from = '-'
for _ = 1, bound.unclaimed_names do
    local member = call('ZRANGEBYLEX', keys.unclaimed, from, '+', 'LIMIT', 0, 1)[1]
    if not member then break end
    local seq = whole(string.sub(member, -unclaimed_tail.number))
    if seq then see(seq) end
    from = '(' .. string.match(member, '^[^%z]*') .. '\1'
end

local reply = {'OK', now, oldest < now and oldest or 0}
local function take(name, text)
    reply[#reply + 1] = name
    reply[#reply + 1] = text
end
local stored = call('HGETALL', keys.statistics)
for n = 1, #stored, 2 do
    local name = string.match(stored[n], '^t=(.*)$')
    if name then take(name, stored[n + 1]) end
end
pending(stored, function(_, name, text) take(name, text) end)
return reply
