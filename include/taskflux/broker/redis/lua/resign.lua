-- Wakes another sleeper where one that was woken, or was to be, does not look any more.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV that sleeper, or ''
-- out: {'OK'}; NEED, RELAY
-- O(log n) of sleepers.
local may_start, _, waiting, unclaimed, watcher, watching = admit(1, counter.waiting, counter.unclaimed, 'watcher', 'watching')
if ARGV[1] ~= '' then sorted_sets[keys.sleepers][ARGV[1]] = false end
myself = ARGV[1]
unclaimed = whole(unclaimed) or 0
if may_start > 0 then
    call_knowers(math.min(unclaimed, 1))
    if (whole(waiting) or 0) > unclaimed then wakes = 1 end
end
if is_unwatched('', ARGV[1], watcher, watching) then wakes = 1 end
return commit({'OK'})
