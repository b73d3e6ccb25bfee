-- Reads the error groups of a queue.
-- in:  KEYS queue HASH, errors HASH
--      ARGV none
-- out: {'OK', of each: group, task name, code, type, signature, first, last, failed, retried, in an hour, in a day, in a week,
--      {number:nonce of each sample}, {nodes}}
-- O(groups).
local all, reply = call('HGETALL', keys.errors), {'OK'}
local function text_of(value) return type(value) == 'string' and value or '' end
local function texts_of(values)
    local made = {}
    for n = 1, most_errors.few do
        if type(values[n]) == 'string' then made[#made + 1] = values[n] end
    end
    return made
end
for n = 1, #all, 2 do
    local of = unpack_group(all[n + 1])
    if of then
        local sums = {}
        for place, window in ipairs(windows) do
            local step = math.floor(now / window[2])
            sums[place] = 0
            for number, many in pairs(of[window[1]]) do
                number, many = whole(number), whole(many)
                if number and many and number + window[3] > step then sums[place] = sums[place] + many end
            end
        end
        for _, part in ipairs({
            all[n], text_of(of.task), text_of(of.code), text_of(of.type), text_of(of.signature), of.first, of.last, of.failed,
            of.retried, sums[1], sums[2], sums[3], texts_of(of.samples), texts_of(of.nodes),
        }) do reply[#reply + 1] = part end
    end
end
return reply
