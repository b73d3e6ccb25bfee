-- Sets or takes back the declared or the live limit of the queue. The live one holds where there is one.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids
--           HASH, unique_keys HASH, sleepers ZSET, waiters HASH, reports HASH, cancels HASH, segments HASH, segment_index
--           ZSET, set_aside HASH, outbox HASH, rules HASH, l:… LIST, a:… SET, j:… HASH, D HASH
--      ARGV 1: the live one, 0: the declared one; its numbers ('': it is taken back), its rate as it was given, its reason
-- out: {'OK'}; NEED, RELAY
-- O(1).
local field, rule = ARGV[1] == '1' and rule_field.live or rule_field.declared, ARGV[2] .. ARGV[3] .. '\n' .. ARGV[4]
local known = call('HMGET', keys.rules, rule_field.declared, rule_field.live)
local queue = call('HMGET', keys.queue, 'limit', counter.waiting)
local declared, live = known[1], known[2]
local was = ARGV[1] == '1' and live or ARGV[1] ~= '1' and declared
local now_is = ARGV[2] ~= '' and string.format('%d\n', now) .. rule
if was and now_is and string.match(was, '\n(.*)$') == rule then now_is = was end
if ARGV[1] == '1' then live = now_is else declared = now_is end
if now_is ~= was then also[1] = now_is and {'HSET', keys.rules, field, now_is} or {'HDEL', keys.rules, field} end
local in_force = live or declared
in_force = in_force and string.sub(string.match(in_force, '\n(.*)$') or '', 1, stored_size.limit)
if in_force ~= queue[1] then  -- another rate begins anew
    also[#also + 1] = {'HDEL', keys.queue, 'limit', 'arrival'}
    if in_force then also[#also + 1] = {'HSET', keys.queue, 'limit', in_force} end
    wakes = math.min(whole(queue[2]) or 0, bound.wakes)
end
return commit({'OK'})
