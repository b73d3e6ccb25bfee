-- Stores what attempts report.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV consumer; then of each: number, nonce, token, 1 if there is progress or 0, progress, log lines (JSON, by newlines)
-- out: {'OK', effect of each}; DUE, NEED, RELAY
-- O(log lines kept) a task.
local consumer = ARGV[1]
local alive, is_expired = has_lease(consumer)
if is_expired then return {'DUE'} end
local effects, logs = {}, {}
for n = 2, #ARGV, 6 do
    local seq = tonumber(ARGV[n])
    local task = find(seq, tonumber(ARGV[n + 1]))
    local result = effect.done
    if not task then
        result = effect.not_found
    elseif not alive or task.state ~= task_state.running or task.holder ~= consumer or
        task.deliveries ~= tonumber(ARGV[n + 2]) then
        result = effect.lease_lost
    else
        if ARGV[n + 3] == '1' then also[#also + 1] = {'HSET', keys.reports, seq .. 'p', ARGV[n + 4]} end
        if ARGV[n + 5] ~= '' then
            local log = logs[seq]
            if not log then
                log = {}
                log.lines, log.first = lines_in(call('HGET', keys.reports, seq .. 'l') or '')
                logs[seq] = log
            end
            add_lines(log.lines, log.first, (lines_in(ARGV[n + 5])),
                      string.format(',"attempt":%d,"consumer":', task.failed + 1) .. cjson.encode(consumer) .. '},')
        end
    end
    effects[#effects + 1] = result
end
for seq, log in pairs(logs) do also[#also + 1] = {'HSET', keys.reports, seq .. 'l', last_lines(log.lines)} end
return commit({'OK', unpack(effects)})
