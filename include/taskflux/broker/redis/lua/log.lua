-- Reads lines of a task's log.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, reports HASH,
--           segments HASH, segment_index ZSET, set_aside HASH
--      ARGV number, nonce, number of the first line, how many at most
-- out: {'OK'}: there is no such task; or {'OK', number of the first line given, of the last one kept, 1 if the task has
--      ended or 0, line…}; DUE
-- O(log n + lines).
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK'} end
local lines, first = lines_in(call('HGET', keys.reports, task.seq .. 'l') or '')
local from, last = tonumber(ARGV[3]), first + #lines - 1
if from < first or from > last + 1 then from = first end  -- those are kept no more; or it is another log
return {'OK', from, last, is_terminal(task.state) and 1 or 0,
        unpack(lines, from - first + 1, math.min(#lines, from - first + tonumber(ARGV[4])))}
