-- Journals: what a task must not forget when it is run again. docs/wire-format.md has the fields.

local journals = {}  -- by number
local function journal_of(task)
    local of = journals[task.seq]
    if not of then
        of = {key = key(own_key.journal .. string.format('%d', task.seq)), notes = {}}
        local known = call('HMGET', of.key, '#total', '#done', '#failed', '#calls', '#epoch', '#size', '#policy', '#awaited',
                           '#why', '#then')
        of.total, of.done, of.failed, of.calls, of.epoch, of.size = whole(known[1]) or 0, whole(known[2]) or 0,
            whole(known[3]) or 0, whole(known[4]) or 0, whole(known[5]) or 0, whole(known[6]) or 0
        of.policy, of.awaited, of.why, of.continued = known[7] or policy_letter.fail_fast, known[8] or '',
            known[9] or '', known[10] == '1'
        journals[task.seq] = of
    end
    return of
end

local function note_in(of, field)
    local value = of.notes[field]
    if value == nil then value = call('HGET', of.key, field) end
    return value
end

local function keep_journal(task)
    if not task.journal then
        task.journal = true
        changed[task.seq] = true
    end
    local of = journal_of(task)
    of.changed = true
    return of
end

-- The journal has grown: crashes count against progress.
local function forgive_crashes(task)
    if task.crashes == 0 then return end
    task.crashes = 0
    task.packed = nil  -- as `fetch` may have handed it out before
    changed[task.seq] = true
end

-- A subtask's entry: whether it is open, whether it was spawned, epoch, place, and where what follows begins.
local function parse_child(note)
    local spawned, epoch, place, at = struct.unpack(format.subtask, note, 2)
    return string.byte(note) == first_byte.open, spawned == '1', epoch, place, at
end

-- What tasks that may be in other queues must hear of, until some process has told them: field of `keys.outbox` -> value.
local outgoing = {}

local ended_children = {}  -- subtasks that have ended

local function begin_epoch(task)
    if not task.journal then return end
    local of = keep_journal(task)
    of.epoch, of.awaited, of.continued = of.epoch + 1, '', false
end

local function forget_journal(task)
    local field = string.format(outbox_letter.cancel .. '%d', task.seq)
    if not task.journal or outgoing[field] or call('HEXISTS', keys.outbox, field) == 1 then return end
    journal_of(task).is_gone = true
end

local function write_journals()
    for _, of in pairs(journals) do
        if of.is_gone then
            call('UNLINK', of.key)
        elseif of.changed then
            local words, gone = {}, {}
            for name, value in pairs({total = of.total, done = of.done, failed = of.failed, calls = of.calls, epoch = of.epoch,
                                      size = of.size, policy = of.policy, awaited = of.awaited, why = of.why,
                                      ['then'] = of.continued and '1' or '0'}) do
                words[#words + 1] = '#' .. name
                words[#words + 1] = value
            end
            for field, value in pairs(of.notes) do
                if value then
                    words[#words + 1] = field
                    words[#words + 1] = value
                else
                    gone[#gone + 1] = field
                end
            end
            write('HDEL', of.key, gone)
            write('HSET', of.key, words)
        end
    end
    for field, value in pairs(outgoing) do call('HSET', keys.outbox, field, value) end
end
