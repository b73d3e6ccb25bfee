-- Adds failed attempts to error groups.
-- in:  KEYS queue HASH, errors HASH, failing ZSET
--      ARGV how many groups; of each: its id, task name, code, type, signature, how many failed for good, how many were
--           retried, node ('': none), number:nonce of its last tasks, oldest first; then of each task: number, nonce, token
--           of the attempt (0: it was given up after all of them), group
-- out: {'OK'}
-- O(log n) a task; O(groups) where new ones take the places of others.
local group_words, task_words = 9, 4
local first_task = 2 + (whole(ARGV[1]) or 0) * group_words
local groups, coming = {}, 0  -- by id
for n = 2, first_task - 1, group_words do
    local text = call('HGET', keys.errors, ARGV[n])
    if not text then coming = coming + 1 end
    groups[ARGV[n]] = text and unpack_group(text) or {
        task = ARGV[n + 1], code = ARGV[n + 2], type = ARGV[n + 3], signature = ARGV[n + 4], first = now, failed = 0,
        retried = 0, samples = {}, nodes = {}, hour = {}, day = {}, week = {},
    }
end
local stale, too_many = {}, coming > 0 and call('HLEN', keys.errors) + coming - most_errors.groups or 0
if too_many > 0 then
    local all, others = call('HGETALL', keys.errors), {}
    for n = 1, #all, 2 do
        local of = not groups[all[n]] and (unpack_group(all[n + 1]) or {last = 0})
        if of then others[#others + 1] = {all[n], of.last} end
    end
    table.sort(others, function(left, right) return left[2] < right[2] end)
    for n = 1, math.min(too_many, #others) do stale[n] = others[n][1] end
end

local function put_first(some, what)
    local made = {what}
    for _, other in ipairs(some) do
        if other ~= what and #made < most_errors.few then made[#made + 1] = other end
    end
    return made
end

local packed = {}
for n = 2, first_task - 1, group_words do
    local of, failed, retried = groups[ARGV[n]], whole(ARGV[n + 5]) or 0, whole(ARGV[n + 6]) or 0
    of.last, of.failed, of.retried = now, of.failed + failed, of.retried + retried
    for _, window in ipairs(windows) do
        local step, kept = math.floor(now / window[2]), {}
        for number, many in pairs(of[window[1]]) do
            local at = whole(number)
            if at and whole(many) and at <= step and at + window[3] > step then kept[tostring(number)] = many end
        end
        local field = string.format('%d', step)
        kept[field] = (kept[field] or 0) + failed + retried
        of[window[1]] = kept
    end
    if ARGV[n + 7] ~= '' then of.nodes = put_first(of.nodes, ARGV[n + 7]) end
    for sample in string.gmatch(ARGV[n + 8], '[^ ]+') do of.samples = put_first(of.samples, sample) end
    packed[#packed + 1] = ARGV[n]
    packed[#packed + 1] = cmsgpack.pack(of)
end

local known, before, members = call('ZCARD', keys.failing), {}, {}
for n = first_task, #ARGV, task_words do
    local number, nonce, token = ARGV[n], ARGV[n + 1], whole(ARGV[n + 2]) or 0
    local olds, is_last = call('ZRANGE', keys.failing, number, number, 'BYSCORE'), true
    for _, member in ipairs(olds) do
        local of, other = string.match(member, '^%d+:(%d+):(%d+):')
        other = of == nonce and of_digits(other) or 0
        if token == 0 then token = other end
        if token < other then is_last = false end  -- another process has told of a later attempt
    end
    if is_last then
        for _, member in ipairs(olds) do before[#before + 1] = member end
        members[#members + 1] = number
        members[#members + 1] = string.format('%s:%s:%d:%s', number, nonce, token, ARGV[n + 3])
    end
end
too_many = known - #before + #members / 2 - most_errors.tasks
if too_many > 0 then
    for _, member in ipairs(call('ZRANGE', keys.failing, 0, too_many - 1)) do before[#before + 1] = member end
end
write('HDEL', keys.errors, stale)
write('HSET', keys.errors, packed)
write('ZREM', keys.failing, before)
write('ZADD', keys.failing, members)
return {'OK'}
