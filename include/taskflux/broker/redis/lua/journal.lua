-- Reads a task's journal.
-- in:  KEYS queue HASH, records HASH, states HASH, segments HASH, segment_index ZSET, set_aside HASH, j:… HASH
--      ARGV number, nonce, cursor, about how many fields at most; or, behind these, fields, to read those that are there
-- out: {'OK', effect, total, done, failed, cursor, [field, value] of each}; NEED. The cursor of those that were named is how
--      many of them have been looked at.
-- O(fields), until these have 1 MiB.
local seq = tonumber(ARGV[1])
load({seq})
if tasks[seq] and tasks[seq].nonce ~= tonumber(ARGV[2]) then return {'OK', effect.not_found} end
local name = key(own_key.journal .. string.format('%d', seq))
if not tasks[seq] and call('EXISTS', name) == 0 then return {'OK', effect.not_found} end
if #missing > 0 then return {'NEED', unpack(missing)} end
local counts = call('HMGET', name, '#total', '#done', '#failed')
local reply = {'OK', effect.done, whole(counts[1]) or 0, whole(counts[2]) or 0, whole(counts[3]) or 0, '0'}
local function add(field, value)
    if not value or string.byte(field) == first_byte.count then return end
    reply[#reply + 1] = field
    reply[#reply + 1] = value
end
if #ARGV > 4 then
    local fields, values = {unpack(ARGV, 5)}, {}
    local taken = in_slices(fields, function(some)
        local bytes = 0
        for n, value in ipairs(read(name, some)) do
            values[some[n]] = value
            bytes = bytes + (value and #value or 0)
        end
        return bytes
    end, function(field)
        local value = values[field]
        if value and not fits(#field + #value) then return false end
        add(field, value)
    end)
    reply[6] = string.format('%d', taken)
else
    local left, items, bytes, length = tonumber(ARGV[4]), 0, 0, bound.first_slice
    reply[6] = ARGV[3]
    repeat
        local page = call('HSCAN', name, reply[6], 'COUNT', math.min(left, length))
        reply[6] = page[1]
        for n = 1, #page[2], 2 do
            add(page[2][n], page[2][n + 1])
            bytes = bytes + #page[2][n + 1]
        end
        left, items = left - math.max(#page[2] / 2, 1), items + #page[2] / 2
        length = next_length(length, items, bytes)
    until page[1] == '0' or left <= 0 or bytes >= bound.answer
end
return reply
