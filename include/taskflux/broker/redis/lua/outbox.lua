-- Tells what tasks in other queues must hear of, when what they have heard of is out.
-- in:  KEYS queue HASH, records HASH, states HASH, segments HASH, segment_index ZSET, set_aside HASH, outbox HASH, j:… HASH
--      ARGV about how many (0: none, as what is left can't be carried now: those that peek leave it alone for a while),
--           cursor; then of each that they have heard of: field, value
-- out: {'OK', cursor, [field, value] of each}; NEED
-- O(fields).
if ARGV[1] == '0' then
    call('HLEN', keys.queue)
    call('HSET', keys.queue, 'held_up', string.format('%d', now + bound.held_up_ms))
    return {'OK', '0'}
end
local out = {}
for n = 3, #ARGV, 2 do
    if call('HGET', keys.outbox, ARGV[n]) == ARGV[n + 1] then out[#out + 1] = ARGV[n] end  -- else it is news
end
for _, field in ipairs(out) do
    local seq = whole(string.match(field, '^' .. outbox_letter.cancel .. '(%d+)$'))
    if seq then load({seq}) end
    -- With the record gone, nothing else will forget the journal.
    if seq and not tasks[seq] then also[#also + 1] = {'UNLINK', key(own_key.journal .. string.format('%d', seq))} end
end
if #missing > 0 then return {'NEED', unpack(missing)} end
write('HDEL', keys.outbox, out)
for _, command in ipairs(also) do call(unpack(command)) end
local reply, cursor = {'OK', '0'}, ARGV[2]
repeat
    local page = call('HSCAN', keys.outbox, cursor, 'COUNT', ARGV[1])
    cursor = page[1]
    for _, word in ipairs(page[2]) do reply[#reply + 1] = word end
until cursor == '0' or #reply > 2
reply[2] = cursor
return reply
