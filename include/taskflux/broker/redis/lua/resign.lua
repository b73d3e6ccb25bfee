-- Wakes another consumer where one that was, or might have been, woken does not look any more. that one, or ''.
local state = call('HMGET', c, 'paused', 'n' .. WAITING, 'watcher', 'watching')
if ARGV[1] ~= '' then sorted_sets[i][ARGV[1]] = false end
myself = ARGV[1]
if not state[1] and tonumber(state[2] or 0) > 0 then wakes = 1 end
if is_unwatched(ARGV[1], state[3], state[4]) then wakes = 1 end
return commit({'OK'})
