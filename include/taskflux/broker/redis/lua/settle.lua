-- Ends attempts. consumer; then of each: how (0 complete, 1 fail, 2 retry, 3 release, 4 cancel, 5 suspend), whether it counts as an
-- attempt (1 byte each), seq (double), nonce, token (4 each), delay (double), data (length, text). An effect for each.
local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
local seqs, effects = {}, {}
for n = 2, #ARGV do seqs[n - 1] = struct.unpack('<d', ARGV[n], 3) end
load(seqs)
for n = 2, #ARGV do
    local how, counts_too, seq, nonce, token, delay, at = struct.unpack('<BBdI4I4d', ARGV[n])
    local data = string.sub(ARGV[n], at + 4)
    local task, effect = find(seq, nonce), 0
    if not task then
        effect = 4
    elseif not alive or task.state ~= RUNNING or task.holder ~= consumer or task.deliveries ~= token then
        effect = 2
    elseif how == 0 then
        if task.cancel then
            task.failed = task.failed + 1
            finish(task, CANCELLED)
        elseif not wait_for_children(task, data) then
            task.result = data
            finish(task, SUCCEEDED)
        end
    elseif how == 1 then
        task.failed = task.failed + 1
        fail(task, data)
    elseif how == 2 then
        if task.journal then keep_journal(task).awaited = '' end
        if counts_too == 1 then
            task.failed = task.failed + 1
            begin_epoch(task)
        end
        retry(task, data, delay)
    elseif how == 3 then
        release(task)
    elseif how == 5 and not task.cancel then
        local of = keep_journal(task)
        local has_come = data ~= '' and note_in(of, data)
        of.awaited = data
        detach(task)
        make_ready(task, has_come and now or math.min(now + delay, forever))
    elseif task.cancel then
        task.failed = task.failed + 1
        finish(task, CANCELLED)
    else
        effect = 3
    end
    effects[n - 1] = effect
end
return commit({'OK', unpack(effects)})
