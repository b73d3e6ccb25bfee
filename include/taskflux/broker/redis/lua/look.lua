-- Looks into a queue for a fetch that serves many: falls asleep in it when there is nothing to hand out.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, sleepers ZSET, names HASH, turn_times ZSET, a:… SET
--      ARGV consumer, channel to be woken by ('': it does not sleep), sleeper, signature of the names, 1: the consumer may hold
--           tasks that it does not know of, names ('any': none)
-- out: {'OK', now in ms, 0: `fetch` has something to do, -1: nothing is to be done, -2: it sleeps, or when something falls due
--      for which this sleeper watches}; NEED
-- O(log n).
local consumer, inbox, sleeper, signature = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held = key(own_key.held .. consumer)
if #missing > 0 then return {'NEED', unpack(missing)} end
local alive, is_expired = has_lease(consumer)
if not alive or is_expired or due(keys.leases) or due(keys.scheduled) or due(keys.limited) or
    due(keys.turn_times) then
    return {'OK', now, 0}
end
if ARGV[5] == '1' and call('EXISTS', held) == 1 then return {'OK', now, 0} end
local may_start, _, waiting, watcher, watching = admit(1, counter.waiting, 'watcher', 'watching')
if may_start > 0 and (waiting or '0') ~= '0' then return {'OK', now, 0} end
if inbox == '' then return {'OK', now, -1} end

myself = table.concat({inbox, sleeper, signature}, '\n')
local is_asleep = time_of(keys.sleepers, myself) ~= nil
local knows_names = #ARGV < 6 or call('HEXISTS', keys.names, signature) == 1
-- One sleeper watches the clock: this one, unless another does so early enough. It need not watch its own lease, with whose
-- end its process is gone.
local soonest, till = next_change(consumer), whole(watching) or 0
local watches = watcher == myself
local is_soon_enough = soonest >= till
if is_soon_enough and watches and is_asleep and till > now + bound.watched_ahead_ms then
    soonest = till
elseif is_soon_enough and watcher and not watches and till > now then
    soonest = stored_time.never
elseif soonest < stored_time.never then
    also = {{'HSET', keys.queue, 'watcher', myself, 'watching', string.format('%d', soonest)}}
elseif watches then
    also = {{'HDEL', keys.queue, 'watcher', 'watching'}}
end
if not is_asleep then also[#also + 1] = {'ZADD', keys.sleepers, now, myself} end
if not knows_names then also[#also + 1] = {'HSET', keys.names, signature, table.concat(ARGV, '\n', 6)} end
for _, command in ipairs(also) do call(unpack(command)) end
return {'OK', now, soonest < stored_time.never and soonest or -2}
