-- Stores what attempts report. consumer; then seq, nonce, token, whether there is progress, progress, log lines
-- (JSON, by newlines) for each. An effect for each.
local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
local effects, logs = {}, {}
for n = 2, #ARGV, 6 do
    local seq = tonumber(ARGV[n])
    local task = find(seq, tonumber(ARGV[n + 1]))
    local effect = 0
    if not task then
        effect = 4
    elseif not alive or task.state ~= RUNNING or task.holder ~= consumer or task.deliveries ~= tonumber(ARGV[n + 2]) then
        effect = 2
    else
        if ARGV[n + 3] == '1' then also[#also + 1] = {'HSET', g, seq .. 'p', ARGV[n + 4]} end
        if ARGV[n + 5] ~= '' then
            local known, lines = logs[seq] or call('HGET', g, seq .. 'l') or '', ARGV[n + 5] .. '\n'
            -- The very same as the last ones, times and all: sent again, as the answer got lost.
            if string.sub(known, -#lines) ~= lines then logs[seq] = known .. lines end
        end
    end
    effects[#effects + 1] = effect
end
for seq, log in pairs(logs) do
    local lines = {}
    for line in string.gmatch(log, '[^\n]+') do lines[#lines + 1] = line end
    local kept = table.concat(lines, '\n', math.max(1, #lines - 99)) .. '\n'  -- the newest hundred
    also[#also + 1] = {'HSET', g, seq .. 'l', kept}
end
return commit({'OK', unpack(effects)})
