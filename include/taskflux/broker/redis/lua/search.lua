-- Finds tasks, newest first: a page, or what a bounded amount of work finds.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, reports HASH,
--           segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, failing ZSET, a:… SET
--      ARGV '1' where what is due need not be done first, or ''; number to begin at, 0: the newest; how many tasks at most;
--           states as letters, 'a' is the first; name, with * at its end: how it begins; key; node; submitted at or after;
--           submitted before; error group; '1' where it has an error; '' where it does not matter
-- out: {'OK', number to go on at or 0 at the end, number begun at, how many numbers are done with, when those to go on at were
--      submitted or 0, {number, record, state, progress, log} of each}; DUE, NEED
-- O(work), of which there is `bound.search_work`.
if ARGV[1] ~= '1' and is_due() then return {'DUE'} end
sought.most, sought.name, sought.key, sought.node = tonumber(ARGV[3]), ARGV[5], ARGV[6], ARGV[7]
sought.since, sought.till, sought.group, sought.has_error = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10], ARGV[11] == '1'
sought.is_timed = sought.since > 0 or sought.till < stored_time.never
sought.restricts_record = sought.name ~= '' or sought.key ~= '' or sought.is_timed
sought.has_prefix = string.sub(sought.name, -1) == '*'
if sought.has_prefix then sought.name = string.sub(sought.name, 1, -2) end
local known = call('HMGET', keys.queue, 'seq', 'low', 'gaps')
local last, low, gaps = last_number(known[1]), whole(known[2]) or 0, gaps_in(known[3])
if low > last then low = 0 end

-- In which states a task may be, and how many tasks are.
local letters, many = '', 0
local function letter_of(state) return string.char(first_byte.state + state) end
for state = 0, task_states.known - 1 do
    local letter = letter_of(state)
    sought.states[state] = ARGV[4] == '' or string.find(ARGV[4], letter, 1, true) ~= nil
    if sought.states[state] then
        letters = letters .. letter
        many = many + (whole(call('HGET', keys.queue, 'n' .. state) or 0) or bound.search_indexed + 1)  -- damaged: not known
    end
end
-- What a segment has in place of such tasks.
sought.codes = '[' .. (is_sought_state(false) and '%z' or '') ..
                   (is_sought_member(task_state.running) and '\1-' .. string.char(member_code.most_holds) or '') ..
                   (is_sought_member(task_state.succeeded) and string.char(member_code.succeeded) or '') ..
                   string.char(member_code.in_turn, member_code.own_state) .. ']'

-- What is older than all that is sought need not be looked at. Numbers are in the order of submission.
local function raise_low(seq)
    if sought.since == 0 or seq <= low then return end
    local at, near = time_near(seq)
    if at and at < sought.since and near > low then low = near end
end

-- Numbers are in the order of submission: between which ones are those that were submitted in time, and some others. O(log n).
-- It leaves half of the work to the walk.
local function narrow(from)
    local low_end, high_end, most_work = low, from, bound.search_work / 2
    while sought.till < stored_time.never and high_end - low_end > bound.search_slice and sought.work < most_work do
        local middle = math.floor((low_end + high_end) / 2)
        local at = time_near(middle)
        if at and at >= sought.till then high_end = middle else low_end = middle end
    end
    local below, guess, above = low, low, high_end
    while sought.since > 0 and above - guess > bound.search_slice and sought.work < most_work do
        local middle = math.floor((guess + above) / 2)
        local at, seq = time_near(middle)
        if at and at >= sought.since then above = middle else guess = middle end
        if at and at < sought.since and seq > below then below = seq end
    end
    return below, high_end
end

-- The numbers of tasks that stand by themselves, newest first, where they are few.
local function few_singles()
    if call('HLEN', keys.records) > bound.search_indexed then return nil end
    local seqs = {}
    for _, field in ipairs(call('HRANDFIELD', keys.records, bound.search_indexed)) do seqs[#seqs + 1] = whole(field) end
    table.sort(seqs, function(left, right) return left > right end)
    return seqs
end

-- Looks at numbers downwards, at some in each call, whatever has been read before; gives the one to go on at.
local function walk_down(at)
    local few, next_few, begun = few_singles(), 1, at
    while at > low and (at == begun or not is_search_over()) do
        local name, first, count = segment_below(at)
        if name and at < first + count then
            at = (sought.key == '' and look_at_segment(name, first, count, at) or first) - 1
        else
            local till, gap = math.max(name and first + count or 0, low + 1), nil
            for _, one in ipairs(gaps) do
                if one.first <= at and at <= one.last then gap = one end
            end
            if gap then
                at = math.max(gap.first, till) - 1
            else
                local seqs, lowest_one = {}, few and till or math.max(till, at - bound.search_slice + 1)
                for seq = at, few and at + 1 or lowest_one, -1 do seqs[#seqs + 1] = seq end
                while few and few[next_few] and few[next_few] >= till do
                    if few[next_few] <= at then seqs[#seqs + 1] = few[next_few] end
                    next_few = next_few + 1
                end
                local looked_at = look_at_singles(seqs)
                at = looked_at < #seqs and seqs[looked_at + 1] or lowest_one - 1
                if sought.is_old then return 0 end
                raise_low(at)
            end
        end
    end
    return at > low and at or 0
end

-- Takes tasks that an index has, of which some may not be sought; gives the first one that is too many.
local function take_indexed(seqs, from)
    table.sort(seqs, function(left, right) return left > right end)
    for _, seq in ipairs(seqs) do
        if #sought.found == bound.search_found then return seq end
        if seq <= from and seq > low then sought.found[#sought.found + 1] = seq end
    end
end

-- Those of an error group; gives the number to go on at.
local nonces = {}
local function take_group(from)
    local seqs, members = {}, call('ZRANGE', keys.failing, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, most_errors.page)
    for _, member in ipairs(members) do
        local seq, nonce, of = string.match(member, '^(%d+):(%d+):%d+:(.*)$')
        seq = seq and of_digits(seq)
        if seq and of == sought.group then seqs[#seqs + 1], nonces[seq] = seq, of_digits(nonce) end
    end
    local rest = take_indexed(seqs, from)
    return rest or #members == most_errors.page and call('ZSCORE', keys.failing, members[#members]) - 1 or 0
end

-- Those of a key that wait or run.
local function of_key(seqs)
    local text = call('HGET', keys.short_keys, sought.key)
    for n = 1, text and lengths_in(text) or 0 do
        local _, seq = struct.unpack(format.short_task, text, place_in(n))
        seqs[#seqs + 1] = seq
    end
    for _, letter in ipairs({key_letter.waiting, key_letter.running}) do
        local from, till = '[' .. letter .. sought.key .. '\0', '(' .. letter .. sought.key .. '\1'
        if call('ZLEXCOUNT', keys.keyed, from, till) > bound.search_indexed then return false end
        for _, member in ipairs(call('ZRANGEBYLEX', keys.keyed, from, till)) do
            seqs[#seqs + 1] = whole(string.match(member, '%d+$'))
        end
    end
    return true
end

-- Those in a state that has an index, where they are few; gives the number to go on at, or nothing where there is none.
local function take_state(from)
    local seqs, waiting, running = {}, letter_of(task_state.waiting), letter_of(task_state.running)
    if sought.key ~= '' and string.find(letters, '^' .. waiting .. '?' .. running .. '?$') and
        (whole(call('HGET', keys.queue, counter.unclaimed)) or 0) == 0 then
        return of_key(seqs) and (take_indexed(seqs, from) or 0) or nil
    end
    if many > bound.search_indexed then return end
    if letters == letter_of(task_state.scheduled) then
        if call('ZCARD', keys.scheduled) > bound.search_indexed then return end
        for _, member in ipairs(call('ZRANGE', keys.scheduled, 0, -1)) do seqs[#seqs + 1] = whole(member) end
    elseif letters == running then
        if call('ZCARD', keys.leases) > bound.search_consumers then return end
        for _, consumer in ipairs(call('ZRANGE', keys.leases, 0, -1)) do
            for _, seq in ipairs(is_sought_node(consumer) and held_by(consumer) or {}) do seqs[#seqs + 1] = seq end
        end
    elseif many > 0 and not (sought.key ~= '' and call('HLEN', keys.records) == 0) then  -- in segments none has a key
        return
    end
    return take_indexed(seqs, from) or 0
end

local begun_at, lowest, next_one = tonumber(ARGV[2]), low, nil
if begun_at == 0 or begun_at > last then begun_at = last end
if sought.group ~= '' then next_one = take_group(begun_at) else next_one = take_state(begun_at) end
if not next_one then
    low, next_one = narrow(begun_at)
    next_one = walk_down(next_one)
end
if #missing > 0 then return {'NEED', unpack(missing)} end

local function is_found(task)
    if not sought.states[task.state] or sought.has_error and task.error == '' then return false end
    if sought.group ~= '' and task.nonce ~= nonces[task.seq] then return false end
    if sought.group ~= '' and task.state ~= task_state.failed and is_terminal(task.state) then return false end
    if sought.node ~= '' and not (has_node(task.state) and is_sought_node(task.holder)) then return false end
    return not sought.restricts_record or is_sought_record(task.record)
end

local has_reports = call('EXISTS', keys.reports) == 1
local reply = {'OK', 0, 0, 0, 0}
local taken = in_steps(sought.found, true, function(seq)
    local task = tasks[seq]
    if not task or not is_found(task) then return true end
    if #reply == 5 + sought.most then return false end
    local told, state = has_reports and call('HMGET', keys.reports, seq .. 'p', seq .. 'l') or {}, pack_state(task)
    local progress, log = told[1] or '', told[2] or ''
    if not fits(#task.record + #state + #progress + #log) then return false end
    reply[#reply + 1] = {seq, task.record, state, progress, log}
end)
if taken < #sought.found then next_one = sought.found[taken + 1] end
reply[2], reply[3], reply[4] = next_one, begun_at, math.max(begun_at - math.max(next_one, lowest), 0)
if next_one > 0 then reply[5] = time_near(next_one) or 0 end
return reply
