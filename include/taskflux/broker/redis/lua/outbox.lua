-- What is to be told to tasks in other queues, after that which has been told is out. about how many; of each that has
-- been told: field, value. {'OK', [field, value]…}
local out = {}
for n = 2, #ARGV, 2 do
    if call('HGET', o, ARGV[n]) == ARGV[n + 1] then out[#out + 1] = ARGV[n] end  -- else it is news
end
for _, field in ipairs(out) do
    local seq = string.match(field, '^X(%d+)$')
    if seq then load({tonumber(seq)}) end
    -- With the record gone, nothing else will forget the journal.
    if seq and not tasks[tonumber(seq)] then also[#also + 1] = {'UNLINK', key('j:' .. seq)} end
end
if #missing > 0 then return {'NEED', unpack(missing)} end
write('HDEL', o, out)
for _, command in ipairs(also) do call(unpack(command)) end
local reply, cursor = {'OK'}, '0'
repeat
    local page = call('HSCAN', o, cursor, 'COUNT', ARGV[1])
    cursor = page[1]
    for _, word in ipairs(page[2]) do reply[#reply + 1] = word end
until cursor == '0' or #reply > 1
return reply
