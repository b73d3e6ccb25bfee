-- Acts on tasks whose last failure was of an error group, in the order of their numbers.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, failing ZSET, outbox HASH, attempts HASH, arrivals ZSET, l:…
--           LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV group; number to begin behind; retry, cancel or remove
-- out: {'OK', number to go on behind or 0, how many it was done to}; DUE, NEED, RELAY
-- O(log n) a task; O(lane) to take one out of a lane of up to 1,000.
if is_due() then return {'DUE'} end
local function has_failed(task) return task.state == task_state.failed end
local function is_live(task) return not is_terminal(task.state) end
local verbs = {retry = {has_failed, try_afresh}, cancel = {is_live, cancel_task}, remove = {has_failed, remove_task}}
local can, act = unpack(verbs[ARGV[3]])

local behind = string.format('%d', whole(ARGV[2]) or 0)
local page = call('ZRANGE', keys.failing, '(' .. behind, '+inf', 'BYSCORE', 'LIMIT', 0, most_errors.page)
local some, seqs, next_from = {}, {}, 0
for n, member in ipairs(page) do
    local number, nonce, group = string.match(member, '^(%d+):(%d+):%d+:(.*)$')
    number, nonce = number and of_digits(number), nonce and of_digits(nonce)
    if number and nonce and group == ARGV[1] then
        some[#some + 1] = {number, nonce, member}
        seqs[#seqs + 1] = number
    end
    if n == most_errors.page or (#some == most_errors.acts and n < #page) then
        next_from = whole(call('ZSCORE', keys.failing, member)) or 0
        break
    end
end
load(seqs)
local done, out = 0, {}
for _, one in ipairs(some) do
    local task = find(one[1], one[2])
    local is_done = task and can(task) and act(task) ~= effect.wrong_state
    if is_done then done = done + 1 end
    if is_done or not task or not (has_failed(task) or is_live(task)) then out[#out + 1] = one[3] end
end
local answer = commit({'OK', next_from, done})
if answer[1] ~= 'NEED' then write('ZREM', keys.failing, out) end
return answer
