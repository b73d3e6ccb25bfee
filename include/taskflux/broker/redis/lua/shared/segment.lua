-- Segments: plain tasks that were submitted together, stored as one value. docs/wire-format.md has their layout. A segment is
-- called by its first number and how many numbers it has; `keys.segment_index` finds it by any of these.

local segments = {}  -- by name, "first:count"

-- First number and how many numbers a segment of that name has; nothing where it can be no segment's.
local function span_of(name)
    local first, count = string.match(name, '^(%d+):(%d+)$')
    if not first then return end
    first, count = of_digits(first), of_digits(count)
    if first and count and count <= bound.segment then return first, count end
end

-- `first` and `count`: where they are known already.
local function open_segment(name, first, count)
    local of = segments[name]
    if of then return of end
    if not first then first, count = span_of(name) end
    if not first then
        set_aside('@' .. string.sub(name, 1, bound.told), 'it is no segment')
        return nil
    end
    local text = call('HGET', keys.segments, string.format('%d', first) .. 't')
    if not text then return nil end
    if #text < status_at.nonces - 1 + (stored_size.nonce + 1) * count then
        set_aside('@' .. name, 'its status is too short')
        return nil
    end
    of = {name = name, first = first, count = count, text = text, holds = {}, changes = {}}
    of.flags, of.retention = struct.unpack(format.segment_status, text)
    if not is_time(of.retention) then
        set_aside('@' .. name, 'its status is damaged')
        return nil
    end
    of.codes_at = status_at.nonces + stored_size.nonce * of.count
    local at = of.codes_at + of.count
    while at + 8 <= #text do
        local since, length, begins = struct.unpack(format.hold, text, at)
        of.holds[#of.holds + 1] = {since = since, consumer = string.sub(text, begins, begins + length - 1)}
        at = begins + length
    end
    segments[name] = of
    return of
end

local opened_from, opened_till = 1, 0  -- of all numbers between them the segments are open

-- The segment that has that number, or nil. O(log n) of all segments.
local function segment_of(seq)
    for _, of in pairs(segments) do
        if of.first <= seq and seq < of.first + of.count then return of end
    end
    if seq >= opened_from and seq <= opened_till then return nil end
    local name = call('ZRANGE', keys.segment_index, seq, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)[1]
    if not name then return nil end
    local first, count = span_of(name)
    if not first then  -- foreign members stand between
        for _, other in ipairs(call('ZRANGE', keys.segment_index, seq, '-inf', 'BYSCORE', 'REV', 'LIMIT', 1, bound.segment)) do
            name = other
            first, count = span_of(name)
            if first then break end
        end
    end
    return first and seq < first + count and open_segment(name, first, count) or nil
end

-- Opens all segments that have numbers from here to there. O(log n + segments).
local function open_segments(from, till)
    segment_of(from)
    local most = math.min(till - from + 1, bound.words)
    local names = call('ZRANGE', keys.segment_index, from, till, 'BYSCORE', 'LIMIT', 0, most)
    for _, name in ipairs(names) do open_segment(name) end
    if #names < most then opened_from, opened_till = from, till end
end

local function code_of(of, seq)
    local at = seq - of.first
    return of.changes[at] or string.byte(of.text, of.codes_at + at)
end

-- When a task that has succeeded ended, what its hold was, and its result.
local function outcome_of(of, seq)
    if not of.outcomes then
        of.outcomes = {}
        local is_whole = pcall(function()
            local text, at = call('HGET', keys.segments, of.first .. 'o') or '', 1
            while at <= #text do
                local when, many
                when, many, at = struct.unpack(format.results, text, at)
                if not is_time(when) then error('no time') end
                for _ = 1, many do
                    local which, hold, result
                    which, hold, result, at = struct.unpack(format.result, text, at)
                    of.outcomes[which] = {when = when, hold = of.holds[hold], result = result}
                end
            end
        end)
        if not is_whole then set_aside('@' .. of.name, 'its results are damaged') end
    end
    return of.outcomes[seq - of.first]
end

local function mark(of, seq, code) of.changes[seq - of.first] = code end

-- Where in a segment the ends of the tasks' own parts stand: behind name and limits.
local function ends_in(length, flags)
    return segment_at.name + length +
               (flags % (2 * record_flag.has_limits) >= record_flag.has_limits and stored_size.limits or 0)
end

-- A task's record: the segment's first bytes, the nonce, name and limits of all, the task's own part.
local function cut_record(of, seq)
    of.blob = of.blob or call('HGET', keys.segments, of.first)
    local blob, at = of.blob, seq - of.first
    local flags, _, count, base, length = struct.unpack(format.segment_from_flags, blob, segment_at.flags)
    local ends = ends_in(length, flags)
    local nonce, own_end = status_at.nonces + stored_size.nonce * at, ends + stored_size.segment_end * at
    local from = at > 0 and struct.unpack(format.u32, blob, own_end - stored_size.segment_end) or base
    local body = ends + stored_size.segment_end * count - base
    return string.sub(blob, 1, segment_at.count - 1) .. string.sub(of.text, nonce, nonce + stored_size.nonce - 1) ..
               string.sub(blob, segment_at.name_length, ends - 1) ..
               string.sub(blob, body + from, body + struct.unpack(format.u32, blob, own_end) - 1)
end

-- A task's record; one that can't be used when the segment is damaged.
local function record_in(of, seq)
    local is_whole, record = pcall(cut_record, of, seq)
    return is_whole and record or ''
end

-- A task of a segment that has no state of its own, or false when there is none.
local function member_of(of, seq)
    local code = code_of(of, seq)
    local outcome = code == member_code.succeeded and outcome_of(of, seq)
    local hold = outcome and outcome.hold or of.holds[code]
    if code ~= member_code.waits and not hold then return false end
    local task = {
        seq = seq, nonce = struct.unpack(format.u32, of.text, status_at.nonces + stored_size.nonce * (seq - of.first)),
        segment = of, in_turn = not hold, state = hold and task_state.running or task_state.waiting,
        deliveries = hold and 1 or 0, first_try = hold ~= nil, failed = 0, crashes = 0, when = 0,
        first = hold and hold.since or 0, started = hold and hold.since or 0, from = 0, gone_at = 0,
        holder = hold and hold.consumer or '', error = '', result = '', special = is_special(of.flags)
    }
    if outcome then
        task.state, task.when, task.result = task_state.succeeded, outcome.when, outcome.result
        task.gone_at = math.min(outcome.when + of.retention, stored_time.never)
    end
    return task
end

-- The status of a segment as it will be stored, or nil when all of it has gone; and the set of consumers that hold none of
-- it any more.
local function rewritten(of)
    local low, high, released = of.count, 0, {}
    for at in pairs(of.changes) do
        if at < low then low = at end
        if at > high then high = at end
    end
    local from, till = of.codes_at, of.codes_at + of.count - 1
    local changing = {string.byte(of.text, from + low, from + high)}
    for at, code in pairs(of.changes) do
        local hold = of.holds[changing[at - low + 1]]
        if hold then released[hold.consumer] = true end
        changing[at - low + 1] = code
    end
    local codes = string.sub(of.text, from, from + low - 1) .. string.char(unpack(changing)) ..
                      string.sub(of.text, from + high + 1, till)
    for code, hold in ipairs(of.holds) do
        if released[hold.consumer] and string.find(codes, string.char(code), 1, true) then released[hold.consumer] = nil end
    end
    if not string.find(codes, member_pattern.left) then return nil, released end
    return string.sub(of.text, 1, from - 1) .. codes .. string.sub(of.text, till + 1), released
end
