-- Sets tasks aside that a consumer was given and can't read. consumer; then seq and why of each.
local gone = {}
for n = 2, #ARGV, 2 do gone[#gone + 1] = tonumber(ARGV[n]) end
load(gone)
for n, seq in ipairs(gone) do
    local task = tasks[seq]
    if task and task.state == RUNNING and task.holder == ARGV[1] then
        detach(task)
        task.when = now
        changed[seq] = true
        count(RUNNING, -1)
        set_aside(seq, ARGV[2 * n + 1])
    end
end
return commit({'OK'})
