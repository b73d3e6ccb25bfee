-- Reads a task's journal.
-- in:  KEYS queue HASH, records HASH, states HASH, segments HASH, segment_index ZSET, set_aside HASH, j:… HASH
--      ARGV number, nonce, cursor, about how many fields at most; or, behind these, fields, to read those that are there
-- out: {'OK', effect, total, done, failed, cursor, [field, value] of each}; NEED
-- O(fields).
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
    local fields = {unpack(ARGV, 5)}
    for n, value in ipairs(read(name, fields)) do add(fields[n], value) end
else
    local page = call('HSCAN', name, ARGV[3], 'COUNT', ARGV[4])
    reply[6] = page[1]
    for n = 1, #page[2], 2 do add(page[2][n], page[2][n + 1]) end
end
return reply
