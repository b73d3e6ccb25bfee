-- Which server it is: another one, or the same after a restart, may not have what a queue knows.

-- The run id of this server, as it says, or as the caller says where a script can't ask: then one that the queue has known
-- before is that of a caller that is behind the times.
local function current_run(run, known)
    local told = redis.pcall('INFO', 'server')
    if type(told) == 'string' then return string.match(told, 'run_id:(%x+)') or known end
    return string.find(call('HGET', keys.queue, 'runs') or '', run, 1, true) and known or run
end

-- Whether the queue does not know this server yet, so that `maintain` must come first.
local function is_new_server(run, known) return run ~= '' and run ~= known and current_run(run, known) ~= known end
