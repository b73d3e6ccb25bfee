-- Sets tasks aside that a consumer was given and can't read: they stay as they are, and take no place of a limit.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids HASH,
--           unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels HASH, segments
--           HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, key_rules HASH,
--           key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV consumer; then of each: number, why
-- out: {'OK'}; NEED, RELAY
-- O(tasks).
local gone = {}
for n = 2, #ARGV, 2 do gone[#gone + 1] = tonumber(ARGV[n]) end
load(gone)
for n, seq in ipairs(gone) do
    local task = tasks[seq]
    if is_held_by(task, ARGV[1]) then
        if key_of(task) then by_key(task, key_letter.running, false) end
        detach(task)
        task.when = now
        changed[seq] = true
        count(task_state.running, -1)
        set_aside(seq, ARGV[2 * n + 1])
    end
end
return commit({'OK'})
