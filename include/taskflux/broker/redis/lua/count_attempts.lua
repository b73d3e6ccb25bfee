-- Adds what a process has counted to a queue's statistics. The first call of a period of 10 s takes what was counted in those
-- before over into totals and history.
-- in:  KEYS queue HASH, statistics HASH, history HASH
--      ARGV of each task name: name, counts
-- out: {'OK'}
-- O(names); once in 10 s O(names and periods that had counts) more.
local at = whole(call('HGET', keys.statistics, 'at'))
local totals, known = {}, 0

-- A name that is counted apart, or ''.
local function counted_name(name)
    if name == '' or totals[name] then return name end
    if known >= bound.counted_names then return '' end
    known, totals[name] = known + 1, ''
    return name
end

-- Adds counts of a period of 10 s to those of the history's field with that end.
local kept = {}  -- by field: the number of its period, and its counts
local function keep(period, suffix, text)
    for _, tier in ipairs(tiers) do
        local number = math.floor(period * period_ms.ten_seconds / tier[2])
        local field = tier[1] .. string.format('%d', number % tier[3]) .. suffix
        local of = kept[field]
        if not of then
            local digits, before = string.match(call('HGET', keys.history, field) or '', '^(%d+) (.*)$')
            of = {number = digits and of_digits(digits) or 0, sum = add_counts({}, before)}
            kept[field] = of
        end
        if of.number < number or of.number > math.floor(now / tier[2]) then of.number, of.sum = number, {} end
        if of.number == number then add_counts(of.sum, text) end
    end
end

if at ~= this_period then
    local stored, sums = call('HGETALL', keys.statistics), {}
    for n = 1, #stored, 2 do
        local name = string.match(stored[n], '^t=(.*)$')
        if name then
            totals[name] = stored[n + 1]
            known = known + 1
        end
    end
    pending(stored, function(period, name, text, field, is_sent)
        also[#also + 1] = is_sent and {'HDEL', keys.statistics, field} or {'HDEL', keys.queue, field}
        name = counted_name(name)
        sums[name] = add_counts(sums[name] or add_counts({}, totals[name]), text)
        keep(period, '', text)
        keep(period, ':' .. name, text)
    end)
    for name, sum in pairs(sums) do
        also[#also + 1] = {'HSET', keys.statistics, 't=' .. name, counts_text(sum, counted_places.all)}
    end
    for field, of in pairs(kept) do
        local most = string.find(field, ':', 1, true) and counted.wait_sum or counted_places.all
        also[#also + 1] = {'HSET', keys.history, field, string.format('%d ', of.number) .. counts_text(of.sum, most)}
    end
    also[#also + 1] = {'HSET', keys.statistics, 'at', string.format('%d', this_period)}
end

local added, space = {}, 3 * bound.counted_names - call('HLEN', keys.statistics)
for n = 1, #ARGV, 2 do
    local name = ARGV[n]
    local field = 'p=' .. string.format('%d', this_period) .. '='
    local before = at == this_period and call('HGET', keys.statistics, field .. name)
    if not before and not added[field .. name] then space = space - 1 end
    if not before and space < 0 and not added[field .. name] then
        name = ''
        before = at == this_period and call('HGET', keys.statistics, field)
    end
    field = field .. name
    added[field] = add_counts(added[field] or add_counts({}, before or ''), ARGV[n + 1])
end
for field, sum in pairs(added) do
    also[#also + 1] = {'HSET', keys.statistics, field, counts_text(sum, counted_places.all)}
end
for _, command in ipairs(also) do call(unpack(command)) end
return {'OK'}
