-- Reads a page of the tasks of an error group, in the order of their numbers.
-- in:  KEYS queue HASH, failing ZSET
--      ARGV group, number to begin behind, then numbers of tasks that are no longer to be known
-- out: {'OK', number to go on behind or 0, number and nonce of each}
-- O(log n + tasks looked at).
local from = whole(ARGV[2]) or 0
local found = call('ZRANGE', keys.failing, '(' .. string.format('%d', from), '+inf', 'BYSCORE', 'LIMIT', 0, most_errors.page)
local reply = {'OK', 0}
for n, member in ipairs(found) do
    local number, nonce, group = string.match(member, '^(%d+):(%d+):(.*)$')
    number, nonce = number and of_digits(number), nonce and of_digits(nonce)
    if number and nonce and group == ARGV[1] then
        reply[#reply + 1] = number
        reply[#reply + 1] = nonce
    end
    if n == most_errors.page then reply[2] = whole(call('ZSCORE', keys.failing, member)) or 0 end
end
local done = {}
for n = 3, #ARGV do
    for _, member in ipairs(call('ZRANGE', keys.failing, ARGV[n], ARGV[n], 'BYSCORE')) do done[#done + 1] = member end
end
write('ZREM', keys.failing, done)
return reply
