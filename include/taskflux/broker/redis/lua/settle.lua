-- Ends attempts. consumer; then seq, nonce, token, how (0 complete, 1 fail, 2 retry, 3 release, 4 cancel), delay,
-- whether it counts as an attempt, data for each. An effect for each.
local consumer = ARGV[1]
local alive = has_lease(consumer)
local seqs, effects = {}, {}
for n = 2, #ARGV, 7 do seqs[#seqs + 1] = tonumber(ARGV[n]) end

-- Most attempts return a result, of a task about which nothing is special: its new state is made of pieces of the
-- old one, by the layout in common.lua. False when it is not of that kind.
local before = read(s, seqs)
local has_waiters = call('EXISTS', w) == 1
local done = string.char(SUCCEEDED)
local at, gone_at = struct.pack('<d', now), struct.pack('<d', now + 3600000)
local nothing = string.rep('\0', 6)  -- no holder, no error
local quick = {}
local function complete(seq, state, nonce, token, result)
    if not state or string.byte(state) ~= RUNNING or (string.byte(state, 2) ~= 2 and string.byte(state, 2) ~= 0) then return false end
    local own_nonce, deliveries, failed = struct.unpack('<I4I4I4', state, 3)
    local length = struct.unpack('<H', state, 59)
    if own_nonce ~= nonce or deliveries ~= token or string.sub(state, 61, 60 + length) ~= consumer or #state ~= 64 + length then
        return false
    end
    states[#states + 1] = seq
    states[#states + 1] = done .. string.sub(state, 2, 18) .. at .. string.sub(state, 27, 50) .. gone_at .. nothing .. result
    quick[#quick + 1] = seq
    if has_waiters then
        ended[#ended + 1] = {seq = seq, nonce = nonce, state = SUCCEEDED, failed = failed, result = result, error = ''}
    end
    return true
end

for n = 2, #ARGV, 7 do
    local seq, nonce, token = tonumber(ARGV[n]), tonumber(ARGV[n + 1]), tonumber(ARGV[n + 2])
    local how, data = ARGV[n + 3], ARGV[n + 6]
    local index = #effects + 1
    local state, effect = before[index], 0
    if not (alive and how == '0' and state and tasks[seq] == nil and complete(seq, state, nonce, token, data)) then
        if tasks[seq] == nil and state then tasks[seq] = unpack_state(seq, state) end
        local task = find(seq, nonce)
        if not task then
            effect = 4
        elseif not alive or task.state ~= RUNNING or task.holder ~= consumer or task.deliveries ~= token then
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
    else
        tasks[seq] = {seq = seq, nonce = nonce, state = SUCCEEDED, holder = '', deliveries = token}  -- if it comes again
    end
    effects[index] = effect
end
if #quick > 0 then
    count(RUNNING, -#quick)
    count(SUCCEEDED, #quick)
    for _, seq in ipairs(quick) do
        append(held_remove, consumer, seq)
        append(sorted_sets[f], now + 3600000, seq)
    end
end
return commit({'OK', unpack(effects)})
