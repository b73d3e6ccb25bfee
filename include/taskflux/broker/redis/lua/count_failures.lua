-- Adds failed attempts of one error group.
-- in:  KEYS queue HASH, errors HASH, failing ZSET
--      ARGV group, task name, code, type, signature, how many failed for good, how many were retried, node ('': none), then of
--           each: number, nonce
-- out: {'OK'}
-- O(log n) a task; O(groups) where a new one takes the place of another.
local id, text = ARGV[1], call('HGET', keys.errors, ARGV[1])
local of = text and unpack_group(text)
local out
if not text and call('HLEN', keys.errors) >= most_errors.groups then
    local all, stalest = call('HGETALL', keys.errors), nil
    for n = 1, #all, 2 do
        local other = unpack_group(all[n + 1])
        local last = other and other.last or 0
        if not stalest or last < stalest then out, stalest = all[n], last end
    end
end
of = of or {
    task = ARGV[2], code = ARGV[3], type = ARGV[4], signature = ARGV[5], first = now, failed = 0, retried = 0, samples = {},
    nodes = {}, hour = {}, day = {}, week = {},
}
local failed, retried = whole(ARGV[6]) or 0, whole(ARGV[7]) or 0
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

local function put_first(some, what)
    local made = {what}
    for _, other in ipairs(some) do
        if other ~= what and #made < most_errors.few then made[#made + 1] = other end
    end
    return made
end

if ARGV[8] ~= '' then of.nodes = put_first(of.nodes, ARGV[8]) end
local known, before, members = call('ZCARD', keys.failing), {}, {}
for n = 9, #ARGV, 2 do
    of.samples = put_first(of.samples, ARGV[n] .. ':' .. ARGV[n + 1])
    for _, member in ipairs(call('ZRANGE', keys.failing, ARGV[n], ARGV[n], 'BYSCORE')) do before[#before + 1] = member end
    members[#members + 1] = ARGV[n]
    members[#members + 1] = ARGV[n] .. ':' .. ARGV[n + 1] .. ':' .. id
end
local too_many = known - #before + #members / 2 - most_errors.tasks
if too_many > 0 then
    for _, member in ipairs(call('ZRANGE', keys.failing, 0, too_many - 1)) do before[#before + 1] = member end
end
if out then call('HDEL', keys.errors, out) end
call('HSET', keys.errors, id, cmsgpack.pack(of))
write('ZREM', keys.failing, before)
write('ZADD', keys.failing, members)
return {'OK'}
