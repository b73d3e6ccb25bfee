-- Tells tasks that subtasks of theirs in other queues have ended. Of each: seq, nonce, field, the subtask's own
-- id, state, attempts, result, error. {'OK'}
for n = 1, #ARGV, 8 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    if task then
        end_child(task, ARGV[n + 2], ARGV[n + 3], tonumber(ARGV[n + 4]), tonumber(ARGV[n + 5]), ARGV[n + 6], ARGV[n + 7])
    end
end
return commit({'OK'})
