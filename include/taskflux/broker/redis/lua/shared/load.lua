-- Finds tasks by their numbers, wherever they are stored.

-- Reads tasks; `with_records` also what was submitted. One HMGET each for states and records, and two commands for each
-- segment. Gives how many bytes states and records have.
local function load(seqs, with_records)
    local wanted, records, bytes = {}, {}, 0
    for _, seq in ipairs(seqs) do
        if tasks[seq] == nil then wanted[#wanted + 1] = seq end
    end
    local states = read(keys.states, wanted)
    for n, seq in ipairs(wanted) do
        if states[n] then
            tasks[seq] = unpack_state(seq, states[n])
            bytes = bytes + #states[n]
        end
        if tasks[seq] ~= false and (with_records or not states[n]) then records[#records + 1] = seq end
    end
    local found = read(keys.records, records)
    for n, seq in ipairs(records) do
        local task, record, of = tasks[seq], found[n] or nil, nil
        if not record then of = segment_of(seq) end
        if of then
            task = task or member_of(of, seq)
            record = task and with_records and record_in(of, seq) or nil
        elseif not record then
            task = false  -- a state without a record is a remnant
        end
        bytes = bytes + (record and #record or 0)
        local fault = record and fault_in(record)
        if fault then
            set_aside(seq, fault)
            task = false
        elseif record then
            task = task or fresh(seq, record)
        end
        if task then task.record = record end
        tasks[seq] = task or false
    end
    return bytes
end

-- The same; and what was submitted of those of which more than name and payload matters, as its steps will ask for that.
local function load_for_steps(seqs)
    load(seqs)
    local wanted = {}
    for _, seq in ipairs(seqs) do
        local task = tasks[seq]
        if task and task.special and not task.record and not task.segment then wanted[#wanted + 1] = seq end
    end
    local found = read(keys.records, wanted)
    for n, seq in ipairs(wanted) do tasks[seq].record = found[n] or nil end
end

-- The task of that number and nonce, or nil.
local function find(seq, nonce)
    load({seq})
    local task = tasks[seq]
    return task and task.nonce == nonce and task or nil
end

-- What was submitted, as bytes.
local function record_of(task)
    if not task.record then
        local of = task.segment
        task.record = not of and call('HGET', keys.records, task.seq)
        of = not task.record and (of or segment_of(task.seq))
        task.record = task.record or of and record_in(of, task.seq) or ''
    end
    return task.record
end

-- What was submitted, by field.
local function info(task)
    if not task.info then
        local record = record_of(task)
        local fault = fault_in(record)
        if fault then set_aside(task.seq, fault) end
        task.info = parse(fault and fixed.record or record)
    end
    return task.info
end
