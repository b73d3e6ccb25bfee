-- `enqueue_plain` for a single record, which goes straight to a consumer that sleeps; SLOW, and nothing has been done,
-- when none can take it or others wait before it. producer, batch number, server's run id, channel that will hear of its
-- end or '', record without its time. {'OK', seq}
local producer, batch, body = key('p:' .. ARGV[1]), tonumber(ARGV[2]), ARGV[5]
local known = call('HMGET', c, 'seq', 'run', 'paused', 'watcher', 'n' .. WAITING, 'n' .. RUNNING)
if ARGV[3] ~= '' and known[2] ~= ARGV[3] then return {'DUE'} end  -- a new server: `maintain` must come first
local most = 65536  -- bytes: a server cuts off who hears too much at once
if known[3] or tonumber(known[5] or 0) > 0 or #body > most then return {'SLOW'} end

local name, inbox, sleeper, consumer, signature = string.sub(body, 9, 8 + string.byte(body, 8))
local function can_take(member)
    inbox, sleeper, consumer, signature = string.match(member, '^([^\n]*)\n(%d+:([^\n]*))\n([^\n]*)$')
    if not inbox or not has_lease(consumer) then return false end
    if signature == '*' then return true end
    local names = '\n' .. (call('HGET', N, signature) or '') .. '\n'
    return string.find(names, '\n' .. name .. '\n', 1, true) ~= nil
end

-- The last to fall asleep comes first, so that the same few work while there is little to do; but who watches the clock
-- only if there is nobody else.
local taker
local asleep = call('ZRANGE', i, 0, 7, 'REV')
for _, member in ipairs(asleep) do
    if (member ~= known[4] or #asleep == 1) and can_take(member) then
        taker = member
        break
    end
end
if not taker then return {'SLOW'} end
local held = key('a:' .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end

-- In place of `remember_answer` and `answered`, with one command; the bytes are what `cmsgpack.pack` might write, in half
-- its time. A full server refuses here, before any message.
local seq, running = (known[1] or 0) + 1, (known[6] or 0) + 1
local before = call('SET', producer, struct.pack('<d', batch) .. '\146\162OK\203' .. struct.pack('>d', seq), 'PX', 600000, 'GET')
local answer = before and answer_in(before, batch)
if answer then
    call('SET', producer, before, 'PX', 600000)
    return answer
end

local record = struct.pack('<I6', now) .. body
local bits = is_special(string.byte(body, 2)) and 10 or 2  -- first try, and whether there are limits
local state = string.char(RUNNING, bits) .. string.sub(body, 4, 7) .. started_by(consumer)
call('ZREM', i, taker)
if call('PUBLISH', inbox, 'T' .. text(queue) .. text(sleeper) .. struct.pack('<d', seq) .. text(record) .. state) == 0 then
    if before then call('SET', producer, before, 'PX', 600000) else call('DEL', producer) end
    return {'SLOW'}
end
local field = string.format('%d', seq)
call('HSET', r, field, record)
call('HSET', s, field, state)
call('SADD', held, field)
call('HSET', c, 'seq', field, 'n' .. RUNNING, string.format('%d', running))
if ARGV[4] ~= '' then call('HSET', w, field, ARGV[4] .. '\n') end
return {'OK', seq}
