-- Reads a tier of the history of a queue's statistics.
-- in:  KEYS queue HASH, statistics HASH, history HASH
--      ARGV which tier (from 1 on), how many periods at most, task name ('': all names)
-- out: {'OK', length of a period in ms, number of that under way, then of parts of periods, which add up: number, counts}
-- O(periods).
local tier, name = tiers[tonumber(ARGV[1])], ARGV[3]
local last = math.floor(now / tier[2])
local many = math.min(tonumber(ARGV[2]), tier[3])
local reply = {'OK', tier[2], last}
local function take(number, text)
    reply[#reply + 1] = number
    reply[#reply + 1] = text
end
pending(call('HGETALL', keys.statistics), function(period, of, text)
    local number = math.floor(period * period_ms.ten_seconds / tier[2])
    if number > last - many and (name == '' or of == name) then take(number, text) end
end)
local fields = {}
for number = last - many + 1, last do
    fields[#fields + 1] = tier[1] .. string.format('%d', number % tier[3]) .. (name == '' and '' or ':' .. name)
end
for n, kept in ipairs(read(keys.history, fields)) do
    local of, text = string.match(kept or '', '^(%d+) (.*)$')
    if of and of_digits(of) == last - many + n then take(last - many + n, text) end
end
return reply
