-- Asks for tasks' ends, and to be told when they have not come.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, sleepers ZSET,
--           waiters HASH, segments HASH, segment_index ZSET, set_aside HASH, ev STREAM
--      ARGV channel; then of each: number, nonce
-- out: {'OK', now in ms, when time alone may end one of them or -1, how many consumers have a lease, of each: 4 (there is no
--      such task), 0 (it has not ended, the channel will hear), or its outcome; not of those behind 1 MiB}; DUE
-- O(log n) a task.
if is_due() then return {'DUE'} end
local soonest = math.min(first_time(keys.limited), first_time(keys.leases), stored_time.never)
local reply, seqs = {'OK', now, soonest < stored_time.never and soonest or -1, call('ZCARD', keys.leases)}, {}
for n = 2, #ARGV, 2 do seqs[#seqs + 1] = tonumber(ARGV[n]) end
in_slices(seqs, load, function(seq, n)
    local task = find(seq, tonumber(ARGV[2 * n + 1]))
    local answer = effect.not_found
    if task and is_terminal(task.state) then
        answer = struct.pack(format.outcome, task.state, attempts(task)) .. text(task.result) .. text(task.error)
        if not fits(#answer) then return false end
    elseif task then
        answer = effect.done
        if ARGV[1] ~= '' then hear_of(task.seq, ARGV[1]) end
    end
    reply[#reply + 1] = answer
end)
note_hearers()
write_rest({})
return reply
