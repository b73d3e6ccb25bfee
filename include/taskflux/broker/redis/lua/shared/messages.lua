-- Messages to processes: see docs/wire-format.md.

-- A text with its length in front.
local function text(value) return struct.pack(format.u32, #value) .. value end
local function queue_name() return (string.match(prefix, '{(.*)}:$')) end

-- Has the consumer of a running task cancel it.
local function request_cancel(task)
    task.cancel = true
    changed[task.seq] = true
    cancels[task.seq] = string.format('%d\n%d\n%s', task.nonce, task.deliveries, task.holder)
    local inbox = string.match(call('HGET', keys.consumers, task.holder) or '', '^%d+:(.*)$')
    if inbox then messages[#messages + 1] = {inbox, message_letter.renew .. text(queue_name()) .. text(task.holder)} end
end

-- What callers waiting for a task's end are told.
local function end_of(task)
    local queue = queue_name()
    return message_letter.ended .. text(queue) ..
               struct.pack(format.task_end, task.seq, task.nonce, task.state, attempts(task)) .. text(task.result) ..
               text(task.error)
end

-- Has what `hear_of` has noted written.
local function note_hearers()
    for seq, channels in pairs(hearers) do also[#also + 1] = {'HSET', keys.waiters, seq, channels} end
end

-- Tells the callers waiting for tasks that have ended; gives the numbers of these tasks.
local function tell_waiters()
    if #ended == 0 or not next(hearers) and call('EXISTS', keys.waiters) == 0 then return end
    local seqs, gone = {}, {}
    for n, task in ipairs(ended) do seqs[n] = task.seq end
    local found = read(keys.waiters, seqs)
    for n, task in ipairs(ended) do
        local channels = hearers[task.seq] or found[n]
        if channels then
            gone[#gone + 1] = task.seq
            hearers[task.seq] = nil
            local message = end_of(task)
            for inbox in string.gmatch(channels, '[^\n]+') do messages[#messages + 1] = {inbox, message} end
        end
    end
    return gone
end
