-- Adds a signal to a task's journal. seq, nonce, name, id of the call, value, most bytes. An effect; {'OK', 5, bytes} if
-- the journal would be too large.
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK', 4} end
if task.state >= SUCCEEDED then return {'OK', 3} end
local of = keep_journal(task)
local sent, call_id = '#signals ' .. ARGV[3], '#call ' .. ARGV[4]
if note_in(of, call_id) then return {'OK', 0} end  -- sent again, as the answer got lost
of.size = of.size + #ARGV[5]
if of.size > tonumber(ARGV[6]) then return {'OK', 5, of.size} end
local number = (note_in(of, sent) or 0) + 1
local field = string.format('g%s#%d', ARGV[3], number)
of.notes[sent], of.notes[call_id], of.notes[field] = number, field, ARGV[5]
if task.state == SCHEDULED and of.awaited == field then
    detach(task)
    make_ready(task, now)
end
return commit({'OK', 0})
