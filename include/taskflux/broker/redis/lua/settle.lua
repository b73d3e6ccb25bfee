-- Ends attempts. consumer; then seq, nonce, token, how (0 complete, 1 fail, 2 retry, 3 release, 4 cancel), delay,
-- whether it counts as an attempt, data for each. An effect for each.
local consumer = ARGV[1]
local alive = has_lease(consumer)
local seqs, effects = {}, {}
for n = 2, #ARGV, 7 do seqs[#seqs + 1] = tonumber(ARGV[n]) end
load(seqs)
for n = 2, #ARGV, 7 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    local how, data = ARGV[n + 3], ARGV[n + 6]
    local effect = 0
    if not task then
        effect = 4
    elseif not alive or task.state ~= RUNNING or task.holder ~= consumer or task.deliveries ~= tonumber(ARGV[n + 2]) then
        effect = 2
    elseif how == '0' then
        if task.cancel then
            task.failed = task.failed + 1
            finish(task, CANCELLED)
        else
            task.result = data
            finish(task, SUCCEEDED)
        end
    elseif how == '1' then
        task.failed = task.failed + 1
        fail(task, data)
    elseif how == '2' then
        if ARGV[n + 5] == '1' then task.failed = task.failed + 1 end
        retry(task, data, tonumber(ARGV[n + 4]))
    elseif how == '3' then
        release(task)
    elseif task.cancel then
        task.failed = task.failed + 1
        finish(task, CANCELLED)
    else
        effect = 3
    end
    effects[#effects + 1] = effect
end
return commit({'OK', unpack(effects)})
