-- Tells what limits the queue, and its keys.
-- in:  KEYS queue HASH, key_rules HASH
--      ARGV none
-- out: {'OK', what is declared, what was set live; '': nothing; the same of each key; until when it is throttled, in ms, or 0;
--      how many things are said of single keys; then of some 10,000 of these: d or l and the key, what is declared or live}
-- O(1), as no more are told.
local most = 10000
local stated = call('HMGET', keys.queue, 'limit_declared', 'limit_live', 'keys_declared', 'keys_live', 'throttled')
local reply = {'OK'}
for n = 1, 4 do reply[n + 1] = stated[n] or '' end
reply[6] = throttle_end(stated[5]) or 0
reply[7] = call('HLEN', keys.key_rules)
for _, text in ipairs(call('HSCAN', keys.key_rules, 0, 'COUNT', most)[2]) do reply[#reply + 1] = text end
return reply
