-- Acts on tasks from outside. cancel, start, promote, requeue or remove; then seq, nonce of each. An effect for each.
if is_due() then return {'DUE'} end
local steps = {}

function steps.cancel(task)
    if task.state == RUNNING then
        task.cancel = true
        changed[task.seq] = true
        cancels[task.seq] = string.format('%d\n%d\n%s', task.nonce, task.deliveries, task.holder)
        local inbox = string.match(call('HGET', h, task.holder) or '', '^%d+:(.*)$')
        if inbox then messages[#messages + 1] = {inbox, 'C' .. text(queue) .. text(task.holder)} end
        return 1
    end
    if task.state >= SUCCEEDED then return 3 end
    finish(task, CANCELLED)
    return 0
end

function steps.start(task)
    if task.state ~= HELD then return 3 end
    detach(task)
    make_ready(task, task.when)
    return 0
end

function steps.promote(task)
    if task.state ~= SCHEDULED then return 3 end
    detach(task)
    make_ready(task, now)
    return 0
end

function steps.requeue(task)
    if task.state ~= FAILED and task.state ~= CANCELLED and task.state ~= EXPIRED then return 3 end
    if task.special and info(task).unique and unique_holder(info(task).unique) then return 3 end
    lock_unique(task)
    task.failed, task.crashes, task.first, task.started, task.from, task.gone_at = 0, 0, 0, 0, now, 0
    task.cancel, task.error = false, ''
    begin_epoch(task)
    make_ready(task, now)
    return 0
end

function steps.remove(task)
    if task.state == RUNNING then return 3 end
    if task.state < SUCCEEDED then conclude(task, CANCELLED) end
    erase(task)
    return 0
end

local seqs, effects = {}, {}
for n = 2, #ARGV, 2 do seqs[#seqs + 1] = tonumber(ARGV[n]) end
load(seqs)
for n = 2, #ARGV, 2 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    effects[#effects + 1] = task and steps[ARGV[1]](task) or 4
end
return commit({'OK', unpack(effects)})
