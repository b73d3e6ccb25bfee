-- Adds a signal to a task's journal.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV number, nonce, name, id of the call, value, most bytes
-- out: {'OK', effect}; {'OK', 5, bytes} if the journal would be too large; DUE, NEED, RELAY
-- O(log n).
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK', effect.not_found} end
if is_terminal(task.state) then return {'OK', effect.wrong_state} end
local of = keep_journal(task)
local sent, call_id = '#signals ' .. ARGV[3], '#call ' .. ARGV[4]
if note_in(of, call_id) then return {'OK', effect.done} end  -- sent again, as the answer got lost
of.size = of.size + #ARGV[5]
if of.size > tonumber(ARGV[6]) then return {'OK', more_effects.too_large, of.size} end
local number = (whole(note_in(of, sent)) or 0) + 1
local field = journal_letter.signal .. ARGV[3] .. '#' .. string.format('%d', number)  -- a name may hold any byte
of.notes[sent], of.notes[call_id], of.notes[field] = number, field, ARGV[5]
if task.state == task_state.scheduled and of.awaited == field then
    detach(task)
    make_ready(task, now)
end
return commit({'OK', effect.done})
