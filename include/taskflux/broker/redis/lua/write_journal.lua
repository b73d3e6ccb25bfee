-- Writes into a task's journal, all or nothing.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV number, nonce, consumer ('': from outside), token, policy ('': as it was), most bytes; then of each: field, how
--           (`write_letter`), 1 for a spawned subtask or 0, value (of a subtask its place)
-- out: {'OK', effect, epoch, what was there ('': nothing) of each}; {'OK', 5, bytes} if it would be too large; DUE, NEED,
--      RELAY
-- O(1) a field.
local consumer, policy = ARGV[3], ARGV[5]
local alive, is_expired = has_lease(consumer)
if consumer ~= '' and is_expired or consumer == '' and is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK', effect.not_found} end
if is_terminal(task.state) then return {'OK', effect.wrong_state} end
if consumer ~= '' and
    (not alive or task.state ~= task_state.running or task.holder ~= consumer or task.deliveries ~= tonumber(ARGV[4])) then
    return {'OK', effect.lease_lost}
end
local of = keep_journal(task)
if policy ~= '' then of.policy = policy end
local reply = {'OK', effect.done, of.epoch}
local has_grown = false

local function drop_child(field)
    local note = note_in(of, field)
    if not note then return end
    local is_open, is_spawned, _, _, at = parse_child(note)
    if not is_spawned then
        if is_open then of.calls = of.calls - 1 end
    else
        of.total = of.total - 1
        if not is_open then
            of.done = of.done - 1
            if string.byte(note, at) ~= task_state.succeeded then of.failed = of.failed - 1 end
        end
    end
    of.notes[field] = false
end

-- A subtask that is there already, unless it gives way to another try.
local function known_child(field)
    local note = note_in(of, field)
    if not note then return false end
    local is_open, _, epoch, _, at = parse_child(note)
    if is_open or epoch >= of.epoch or string.byte(note, at) == task_state.succeeded then return note end
    drop_child(field)
    return false
end

for n = 7, #ARGV, 4 do
    local field, how, spawned, value = ARGV[n], ARGV[n + 1], ARGV[n + 2], ARGV[n + 3]
    local is_child, known = string.byte(field) == first_byte.subtask, false
    if how == write_letter.drop then
        drop_child(field)
    elseif how == write_letter.look then
        known = note_in(of, field)
    elseif is_child then
        known = known_child(field)
        has_grown = has_grown or not known
        if not known then
            of.notes[field] = subtask_letter.open .. spawned .. struct.pack(format.u32, of.epoch) .. text(value)
            if spawned == '1' then of.total = of.total + 1 else of.calls = of.calls + 1 end
        end
    else
        local before = note_in(of, field)
        known = how == write_letter.add and before
        has_grown = has_grown or not known and before ~= value
        if not known then
            of.notes[field] = value
            if how == write_letter.add then of.size = of.size + #field + #value end
        end
    end
    reply[#reply + 1] = known or ''
end
if of.size > tonumber(ARGV[6]) then return {'OK', more_effects.too_large, of.size} end
if has_grown then forgive_crashes(task) end
if task.state == task_state.waiting_children then judge_children(task) end  -- one that was waited for may be out
return commit(reply)
