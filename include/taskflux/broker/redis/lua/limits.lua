-- What limits the queue, and how many tasks may start now.
-- in:  KEYS queue HASH, rules HASH
--      ARGV how many at most
-- out: {'OK', how many, why not more or '', when the rate lets the next one start or -1, the declared limit or '', the live
--      one or ''}: each as it is stored
-- O(1).
local known = call('HMGET', keys.rules, rule_field.declared, rule_field.live)
local may_start, held_back = admit(tonumber(ARGV[1]))
local opens = held_back == 'rate' and limit_here and opening() or -1
return {'OK', may_start, held_back or '', opens > now and opens or -1, known[1] or '', known[2] or ''}
