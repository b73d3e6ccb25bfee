-- What every script shares. A script reads what it needs, changes tasks in memory, and writes everything at
-- its end, in `commit`: so all reads come before the first write, and a key that turns out to be needed and
-- was not declared ends the script (`NEED`) before it has changed anything.
--
-- tools/generate.py puts in front of a script those declarations of this file that it uses: each must start at the
-- beginning of a line, and end in a line that starts with `end` or `}` if it has several.
--
-- Keys: those of the queue that the script uses, in the order below, with `c` always; then the lanes, consumers' sets
-- and producers in use. tools/generate.py leaves out of the next line what a script does not use.
-- Times are milliseconds since 1970 by the server's clock. States are numbered as in core/state.hpp.
local c, r, s, d, e, C, f, u, k, y, i, w, g, N, h, x, b, B, q, S, o = unpack(KEYS)
local prefix = string.sub(c, 1, -2)
local declared, missing = {}, {}
for n = 1, #KEYS do declared[KEYS[n]] = true end
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local forever = 1e15
local RETENTION, FAILED_RETENTION = 3600000, 604800000  -- where nothing else was asked for
local HELD, SCHEDULED, WAITING, RUNNING, WAITING_CHILDREN, SUCCEEDED, FAILED, CANCELLED, EXPIRED = 0, 1, 2, 3, 4, 5, 6, 7, 8

-- The full name of a key that not every queue has.
local function key(name)
    name = prefix .. name
    if not declared[name] then
        missing[#missing + 1] = name
        declared[name] = true
    end
    return name
end

local function padded(seq) return string.format('%014d', seq) end

-- Reads many fields of a hash; false for those that are not there.
local function read(hash, fields)
    if #fields == 0 then return {} end
    if #fields <= 4000 then return call('HMGET', hash, unpack(fields)) end
    local found = {}
    for from = 1, #fields, 4000 do
        local some = call('HMGET', hash, unpack(fields, from, math.min(from + 3999, #fields)))
        for n = 1, #some do found[from + n - 1] = some[n] end
    end
    return found
end

-- A command with a long tail of words, in slices of an even length.
local function write(command, name, words)
    for from = 1, #words, 4000 do
        call(command, name, unpack(words, from, math.min(from + 3999, #words)))
    end
end

-- Whether time alone has something to bring about: `maintain` must come first.
local function due(set)
    local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')
    return first[2] and tonumber(first[2]) <= now
end
local function is_due() return due(d) or due(e) or due(C) or due(f) end

local also = {}  -- commands for the end

-- Corrupt or foreign data is left as it is, and told of in `q`: what it is called → why it can't be used.
local function set_aside(what, why) also[#also + 1] = {'HSET', q, what, why} end
local function is_set_aside(what)
    for _, command in ipairs(also) do
        if command[2] == q and command[3] == what then return true end
    end
    return false
end

-- --- records: what was submitted ----------------------------------------------------------------------

-- time (6 bytes), version, flags, priority + 100, nonce (4), length of the name, name; then by flag
-- 1: deadline, expires_in, retention, failed retention (doubles), crash limit (4); 2: own id; 4: unique key
-- and its window; 16: the parent's queue, number and nonce, and the key in its journal; 8: the rest of the
-- specification as JSON; then the payload.
local function parse(record)
    local made = {}
    local time, version, flags, priority, nonce, length = struct.unpack('<I6BBBI4B', record)
    local at = 15 + length
    made.submitted, made.flags, made.priority, made.nonce = time, flags, priority - 100, nonce
    made.name = string.sub(record, 15, at - 1)
    made.deadline, made.expires_in, made.crash_limit = 0, 0, 3
    made.retention, made.failed_retention = RETENTION, FAILED_RETENTION
    if flags % 2 >= 1 then
        made.deadline, made.expires_in, made.retention, made.failed_retention, made.crash_limit, at =
            struct.unpack('<ddddI4', record, at)
    end
    if flags % 4 >= 2 then made.own, at = struct.unpack('<Hc0', record, at) end
    if flags % 8 >= 4 then made.unique, made.window, at = struct.unpack('<Hc0d', record, at) end
    if flags % 32 >= 16 then
        made.parent = {}
        made.parent.queue, made.parent.seq, made.parent.nonce, made.parent.key, at = struct.unpack('<Bc0dI4Hc0', record, at)
    end
    if flags % 16 >= 8 then
        local rest
        rest, at = struct.unpack('<I4', record, at)
        at = at + rest
    end
    made.payload_at = at
    return made
end

-- Nil, or why a record can't be used.
local function fault_in(record)
    if #record < 15 then return 'its record is too short' end
    if string.byte(record, 7) ~= 1 then return 'its record has version ' .. string.byte(record, 7) end
    if #record < 14 + string.byte(record, 14) then return 'its record is too short' end
    if string.byte(record, 8) > 0 and not pcall(parse, record) then return 'its record is damaged' end
end

-- --- tasks ----------------------------------------------------------------------------------------------

-- Whether a record with these flags is more than a plain one: with limits, id, unique key or parent.
local function is_special(flags) return bit.band(flags, 23) ~= 0 end

local tasks = {}    -- by seq; false: there is none
local changed = {}  -- those to be written

-- state, bits (1 cancel requested, 2 first try, 4 unclaimed, 8 the record is special, 16 it has a journal), nonce,
-- deliveries, failed attempts, crashes, when (due, or ended), first started, started, limits from, gone at, holder, error, result
local function read_state(seq, text)
    local task, length, bits, at = {seq = seq}
    task.state, bits, task.nonce, task.deliveries, task.failed, task.crashes, task.when, task.first, task.started,
        task.from, task.gone_at, length, at = struct.unpack('<BBI4I4I4I4dddddH', text)
    task.cancel, task.first_try, task.unclaimed, task.special, task.journal =
        bits % 2 >= 1, bits % 4 >= 2, bits % 8 >= 4, bits % 16 >= 8, bits % 32 >= 16
    task.holder = string.sub(text, at, at + length - 1)
    at = at + length
    length, at = struct.unpack('<I4', text, at)
    task.error = string.sub(text, at, at + length - 1)
    task.result = string.sub(text, at + length)
    return task
end

-- The same; false when it can't be used.
local function unpack_state(seq, text)
    local is_whole, task = pcall(read_state, seq, text)
    if is_whole and task.state <= EXPIRED then return task end
    set_aside(seq, 'its state is damaged')
    return false
end

local function pack_state(task)
    local bits = (task.cancel and 1 or 0) + (task.first_try and 2 or 0) + (task.unclaimed and 4 or 0) +
                     (task.special and 8 or 0) + (task.journal and 16 or 0)
    return struct.pack('<BBI4I4I4I4dddddH', task.state, bits, task.nonce, task.deliveries, task.failed, task.crashes,
                       task.when, task.first, task.started, task.from, task.gone_at, #task.holder) .. task.holder ..
               struct.pack('<I4', #task.error) .. task.error .. task.result
end

-- A task as it is when nothing has happened to it yet: then it has no entry in `s`.
local function fresh(seq, record)
    local _, flags, _, nonce = struct.unpack('<BBBI4', record, 7)
    return {
        seq = seq, state = WAITING, nonce = nonce, deliveries = 0, failed = 0, crashes = 0, when = 0, first = 0,
        started = 0, from = 0, gone_at = 0, holder = '', error = '', result = '', special = is_special(flags), record = record
    }
end

-- In a state: that it ends now; when it goes, no holder, no error.
local ends_now, goes_later = struct.pack('<d', now), struct.pack('<dI4H', now + RETENTION, 0, 0)

-- The new state of a task whose consumer returns a result, made of pieces of the old one, and how many attempts have
-- failed; nothing when it is not that consumer's to settle, or something is special about it. `word`: see `settle`.
local function succeeded(state, word, consumer)
    if not state or #state ~= 64 + #consumer or string.sub(state, 61, -5) ~= consumer then return nil end
    local number, bits = string.byte(state, 1, 2)
    if number ~= RUNNING or bits >= 4 or bits % 2 == 1 or struct.unpack('<H', state, 59) ~= #consumer or
        string.sub(state, 3, 10) ~= string.sub(word, 11, 18) then  -- nonce and deliveries
        return nil
    end
    return string.char(SUCCEEDED) .. string.sub(state, 2, 18) .. ends_now .. string.sub(state, 27, 50) .. goes_later ..
               string.sub(word, 31), struct.unpack('<I4', state, 11)
end

-- What a plain task's state has behind its nonce, when it has just been started.
local function started_by(consumer)
    return struct.pack('<I4I4I4dddddH', 1, 0, 0, 0, now, now, 0, 0, #consumer) .. consumer .. '\0\0\0\0'
end

-- --- segments: plain tasks that were submitted together -------------------------------------------------

-- The first one's number names them. `b` has what was submitted in the field of that number, and in that with a t
-- what has become of it: flags, retention (a double), nonces (4 each), a code for each, and the holds: since when
-- (a double), consumer (length, text). Codes: it waits for its turn; it is what the n-th hold holds; it has succeeded;
-- it has a state in `s` of its own and yet waits for its turn; it has a state of its own; it has gone. Results are in
-- the field of that number with an o: groups of when (a double), how many (1), and of each which one, its hold (1 each)
-- and result (length, text). `B` finds segments by number.
local WAITS, MOST_HOLDS, DONE, IN_TURN, OWN, GONE = 0, 200, 252, 253, 254, 255
local segments = {}  -- by their names, "first:count"

local function open_segment(name)
    local of = segments[name]
    if of then return of end
    local first, count = string.match(name, '^(%d+):(%d+)$')
    local text = call('HGET', b, first .. 't')
    if not text then return nil end
    if #text < 9 + 5 * count then
        set_aside('@' .. name, 'its status is too short')
        return nil
    end
    of = {name = name, first = tonumber(first), count = tonumber(count), text = text, holds = {}, changes = {}}
    of.flags, of.retention = struct.unpack('<Bd', text)
    of.codes_at = 10 + 4 * of.count
    local at = of.codes_at + of.count
    while at + 8 <= #text do
        local since, length = struct.unpack('<dB', text, at)
        of.holds[#of.holds + 1] = {since = since, consumer = string.sub(text, at + 9, at + 8 + length)}
        at = at + 9 + length
    end
    segments[name] = of
    return of
end

-- The one that has that number, or nil.
local function segment_of(seq)
    for _, of in pairs(segments) do
        if of.first <= seq and seq < of.first + of.count then return of end
    end
    local name = call('ZRANGE', B, seq, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)[1]
    if not name then return nil end
    local first, count = string.match(name, '^(%d+):(%d+)$')
    return seq < first + count and open_segment(name) or nil
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
            local text, at = call('HGET', b, of.first .. 'o') or '', 1
            while at <= #text do
                local when, many
                when, many, at = struct.unpack('<dB', text, at)
                for _ = 1, many do
                    local which, hold, result
                    which, hold, result, at = struct.unpack('<BBI4c0', text, at)
                    of.outcomes[which] = {when = when, hold = of.holds[hold], result = result}
                end
            end
        end)
        if not is_whole then set_aside('@' .. of.name, 'its results are damaged') end
    end
    return of.outcomes[seq - of.first]
end

local function mark(of, seq, code) of.changes[seq - of.first] = code end

-- What was submitted as one record each: the segment's first bytes, the nonce, name and limits of all, the task's own.
local function cut_record(of, seq)
    of.blob = of.blob or call('HGET', b, of.first)
    local blob, at = of.blob, seq - of.first
    local flags, _, count, base, length = struct.unpack('<BBHI4B', blob, 8)
    local ends = 17 + length + (flags % 2 >= 1 and 36 or 0)
    local from = at > 0 and struct.unpack('<I4', blob, ends + 4 * at - 4) or base
    local body = ends + 4 * count - base
    return string.sub(blob, 1, 9) .. string.sub(of.text, 10 + 4 * at, 13 + 4 * at) .. string.sub(blob, 16, ends - 1) ..
               string.sub(blob, body + from, body + struct.unpack('<I4', blob, ends + 4 * at) - 1)
end

-- The same; one that can't be used when the segment is damaged.
local function record_in(of, seq)
    local is_whole, record = pcall(cut_record, of, seq)
    return is_whole and record or ''
end

-- A task without a state of its own, or false when there is none.
local function member_of(of, seq)
    local code = code_of(of, seq)
    local outcome = code == DONE and outcome_of(of, seq)
    local hold = outcome and outcome.hold or of.holds[code]
    if code ~= WAITS and not hold then return false end
    local task = {
        seq = seq, nonce = struct.unpack('<I4', of.text, 10 + 4 * (seq - of.first)), segment = of, in_turn = not hold,
        state = hold and RUNNING or WAITING, deliveries = hold and 1 or 0, first_try = hold ~= nil, failed = 0,
        crashes = 0, when = 0, first = hold and hold.since or 0, started = hold and hold.since or 0, from = 0,
        gone_at = 0, holder = hold and hold.consumer or '', error = '', result = '', special = of.flags % 8 > 0
    }
    if outcome then
        task.state, task.holder, task.when, task.result = SUCCEEDED, '', outcome.when, outcome.result
        task.gone_at = math.min(outcome.when + of.retention, forever)
    end
    return task
end

-- What has become of a segment, as it will be stored, or nil when all of it has gone; and the set of those who do not
-- hold any of it any more.
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
    if not string.find(codes, '[^\255]') then return nil, released end
    return string.sub(of.text, 1, from - 1) .. codes .. string.sub(of.text, till + 1), released
end

-- Reads tasks; `with_records` also what was submitted.
local function load(seqs, with_records)
    local wanted, records = {}, {}
    for _, seq in ipairs(seqs) do
        if tasks[seq] == nil then wanted[#wanted + 1] = seq end
    end
    local states = read(s, wanted)
    for n, seq in ipairs(wanted) do
        if states[n] then tasks[seq] = unpack_state(seq, states[n]) end
        if tasks[seq] ~= false and (with_records or not states[n]) then records[#records + 1] = seq end
    end
    local found = read(r, records)
    for n, seq in ipairs(records) do
        local task, record, of = tasks[seq], found[n] or nil, nil
        if not record then of = segment_of(seq) end
        if of then
            task = task or member_of(of, seq)
            record = task and with_records and record_in(of, seq) or nil
        elseif not record then
            task = false  -- a state without a record is a remnant
        end
        local fault = record and fault_in(record)
        if fault then
            set_aside(seq, fault)
            task = false
        elseif record then
            task = task or fresh(seq, record)
        end
        if task then task.record = record end
        tasks[seq] = task or false
    end
end

-- The task of that key, or nil.
local function find(seq, nonce)
    load({seq})
    local task = tasks[seq]
    return task and task.nonce == nonce and task or nil
end

-- What was submitted.
local function record_of(task)
    if not task.record then
        local of = task.segment
        task.record = not of and call('HGET', r, task.seq)
        of = not task.record and (of or segment_of(task.seq))
        task.record = task.record or of and record_in(of, task.seq) or ''
    end
    return task.record
end

local function info(task)
    if not task.info then
        local record = record_of(task)
        local fault = fault_in(record)
        if fault then set_aside(task.seq, fault) end
        task.info = parse(fault and ('\0\0\0\0\0\0\1\0d\0\0\0\0\0') or record)
    end
    return task.info
end

-- --- what will be written ---------------------------------------------------------------------------------

local counts = {}
local ready, erased, ended = 0, {}, {}
local lanes_head, lanes_tail, lanes_remove = {}, {}, {}
local sorted_sets = {[d] = {}, [e] = {}, [f] = {}, [u] = {}, [i] = {}}  -- member → score, or false: out
local held_add, held_remove = {}, {}                                     -- consumer → seqs
local own_ids, unique_keys, cancels = {}, {}, {}                         -- false: out
local bodies, states = {}, {}                                            -- to store
local messages = {}                                                      -- {inbox, text} each
local wakes, woken, myself = 0, {}, ''                                   -- how many, who for certain, and who not

local function count(what, by) counts[what] = (counts[what] or 0) + by end
local function append(lists, name, value)
    local list = lists[name]
    if not list then
        list = {}
        lists[name] = list
    end
    list[#list + 1] = value
end

local function enter(task, state)
    count(task.state, -1)
    count(state, 1)
    task.state = state
    changed[task.seq] = true
end

-- --- limits, own ids, unique keys ---------------------------------------------------------------------

-- When the task is given up unless it has started (or, after a first try, ended) by then.
local function limit(task)
    if not task.special then return forever end
    local of = info(task)
    local from = task.from > 0 and task.from or of.submitted
    local till = forever
    if of.deadline > 0 then till = from + of.deadline end
    if of.expires_in > 0 and task.first == 0 then till = math.min(till, from + of.expires_in) end
    return till
end

local function watch_limit(task)
    local till = limit(task)
    if till < forever then sorted_sets[e][padded(task.seq)] = till end
end

local function forget_limit(task)
    if task.special and limit(task) < forever then sorted_sets[e][padded(task.seq)] = false end
end

-- The holder of a unique key, as "seq:until", or nil.
local function unique_entry(name)
    if unique_keys[name] == nil then unique_keys[name] = call('HGET', y, name) or false end
    return unique_keys[name] or nil
end

local function unique_holder(name)
    local entry = unique_entry(name)
    if not entry then return nil end
    local seq, till = string.match(entry, '^(%d+):(%d+)$')
    if tonumber(till) <= now then return nil end
    load({tonumber(seq)})
    return tasks[tonumber(seq)] or nil
end

local function lock_unique(task)
    if not task.special then return end
    local of = info(task)
    if not of.unique then return end
    local till = of.window > 0 and math.min(now + of.window, forever) or forever
    unique_keys[of.unique] = string.format('%d:%d', task.seq, till)
end

local function unlock_unique(task)
    if not task.special then return end
    local of = info(task)
    local entry = of.unique and unique_entry(of.unique)
    if entry and string.match(entry, '^%d+') == string.format('%d', task.seq) then unique_keys[of.unique] = false end
end

-- --- steps of a task's life ------------------------------------------------------------------------------

local function unclaimed_member(task)
    return string.format('%s\0%03d\0%s', info(task).name, 100 - info(task).priority, padded(task.seq))
end

local function lane(priority) return key('l:' .. priority) end

-- --- journals ---------------------------------------------------------------------------------------------

-- `j:<seq>` is a HASH. Steps (s…) and signals (g…) are values; subtasks (c…) are o or d (open, done), 1 if it was
-- spawned, epoch (4), place (length, text), and when done: state (1), attempts (4), result, error (lengths, texts).
-- Fields with # count: spawned subtasks in all, those of them that have ended, those that have failed; open ones that
-- were not spawned; signals by name.
local journals = {}  -- by seq
local function journal_of(task)
    local of = journals[task.seq]
    if not of then
        of = {key = key(string.format('j:%d', task.seq)), notes = {}}
        local known = call('HMGET', of.key, '#total', '#done', '#failed', '#calls', '#epoch', '#size', '#policy', '#awaited', '#why', '#then')
        of.total, of.done, of.failed, of.calls, of.epoch, of.size = tonumber(known[1] or 0), tonumber(known[2] or 0),
            tonumber(known[3] or 0), tonumber(known[4] or 0), tonumber(known[5] or 0), tonumber(known[6] or 0)
        of.policy, of.awaited, of.why, of.continued = known[7] or 'f', known[8] or '', known[9] or '', known[10] == '1'
        journals[task.seq] = of
    end
    return of
end

local function note_in(of, field)
    local value = of.notes[field]
    if value == nil then value = call('HGET', of.key, field) end
    return value
end

local function keep_journal(task)
    if not task.journal then
        task.journal = true
        changed[task.seq] = true
    end
    local of = journal_of(task)
    of.changed = true
    return of
end

-- A subtask's note: whether it is open, whether it was spawned, epoch, place, and where what follows begins.
local function parse_child(note)
    local spawned, epoch, place, at = struct.unpack('<c1I4I4c0', note, 2)
    return string.byte(note) == 111, spawned == '1', epoch, place, at
end

-- What tasks that may be in other queues must hear of, until somebody has told them: in `o`, D and a number → the end
-- of a subtask; X and a number → nonce and epoch of a task whose subtasks that are open since then or earlier are to be cancelled; S and a number → nonce
-- (4), and place of a continuation that is to be started.
local outgoing = {}

local ending = {}  -- subtasks that have ended

local function begin_epoch(task)
    if not task.journal then return end
    local of = keep_journal(task)
    of.epoch, of.awaited, of.continued = of.epoch + 1, '', false
end

local function forget_journal(task)
    local field = string.format('X%d', task.seq)
    if not task.journal or outgoing[field] or call('HEXISTS', o, field) == 1 then return end
    journal_of(task).is_gone = true
end

local function write_journals()
    for _, of in pairs(journals) do
        if of.is_gone then
            call('UNLINK', of.key)
        elseif of.changed then
            local words, gone = {}, {}
            for name, value in pairs({total = of.total, done = of.done, failed = of.failed, calls = of.calls, epoch = of.epoch,
                                      size = of.size, policy = of.policy, awaited = of.awaited, why = of.why,
                                      ['then'] = of.continued and '1' or '0'}) do
                words[#words + 1] = '#' .. name
                words[#words + 1] = value
            end
            for field, value in pairs(of.notes) do
                if value then
                    words[#words + 1] = field
                    words[#words + 1] = value
                else
                    gone[#gone + 1] = field
                end
            end
            write('HDEL', of.key, gone)
            write('HSET', of.key, words)
        end
    end
    for field, value in pairs(outgoing) do call('HSET', o, field, value) end
end

-- Out of every structure that its state puts it into.
local function detach(task)
    local state = task.state
    if state == HELD then
        forget_limit(task)
    elseif state == SCHEDULED then
        sorted_sets[d][padded(task.seq)] = false
        forget_limit(task)
    elseif state == WAITING then
        if task.unclaimed then
            sorted_sets[u][unclaimed_member(task)] = false
            task.unclaimed = false
            count('u', -1)
        elseif task.in_turn then
            task.in_turn = false
        else
            append(lanes_remove, lane(info(task).priority), task.seq)
        end
        forget_limit(task)
    elseif state == RUNNING then
        if not task.segment then append(held_remove, task.holder, task.seq) end
        task.holder = ''
        if task.cancel then cancels[task.seq] = false end
    elseif state == WAITING_CHILDREN then
        forget_limit(task)
    end
end

-- To a lane, or to the schedule when it is due later. `urgent`: to the lane's head.
local function make_ready(task, at, urgent)
    if at > now then
        enter(task, SCHEDULED)
        task.when = at
        sorted_sets[d][padded(task.seq)] = at
    else
        enter(task, WAITING)
        append(urgent and lanes_head or lanes_tail, lane(info(task).priority), task.seq)
        ready = ready + 1
    end
    watch_limit(task)
end

local function erase(task)
    count(task.state, -1)
    erased[#erased + 1] = task.seq
    changed[task.seq] = nil
    tasks[task.seq] = false
    local of = task.segment or segment_of(task.seq)
    if of then mark(of, task.seq, GONE) end
    forget_journal(task)
    if task.special and info(task).own then own_ids[info(task).own] = false end
end

-- The end of a task: its unique key is free, who waits is told.
local function conclude(task, state)
    detach(task)
    enter(task, state)
    task.when = now
    unlock_unique(task)
    ended[#ended + 1] = task
    if task.special and info(task).parent then ending[#ending + 1] = task end
    if task.journal then
        local of = journal_of(task)
        if of.done < of.total or of.calls > 0 then
            outgoing[string.format('X%d', task.seq)] = string.format('%d %d', task.nonce, of.epoch)
        end
    end
end

local function finish(task, state)
    conclude(task, state)
    local keep = state == FAILED and FAILED_RETENTION or RETENTION
    if task.special then keep = state == FAILED and info(task).failed_retention or info(task).retention end
    if keep == 0 then return erase(task) end
    task.gone_at = math.min(now + keep, forever)
    append(sorted_sets[f], task.gone_at, task.seq)
end

local function fail(task, why)
    if task.cancel then return finish(task, CANCELLED) end
    task.error = why
    finish(task, FAILED)
end

local function failure(code, message)
    return '{"code":"' .. code .. '","type":"","message":"' .. message .. '","pointer":"","expected":""}'
end

-- Its deadline has passed.
local function give_up(task)
    if task.first == 0 then return finish(task, EXPIRED) end
    fail(task, task.error ~= '' and task.error or failure('timed_out', "the task's overall deadline passed"))
end

local function retry(task, why, delay)
    local at = math.min(now + delay, forever)
    if task.cancel or at >= limit(task) then return fail(task, why) end
    if why ~= '' then task.error = why end
    detach(task)
    make_ready(task, at)
end

local function give_back(task)
    if task.cancel then return finish(task, CANCELLED) end
    detach(task)
    make_ready(task, now, true)
end

local function release(task)
    if task.first_try then task.first, task.started = 0, 0 end
    give_back(task)
end

-- After its consumer's death.
local function recover(task)
    task.crashes = task.crashes + 1
    local most = task.special and info(task).crash_limit or 3
    if most == 0 or task.crashes < most then return give_back(task) end
    fail(task, failure('crashed', 'the lease was lost ' .. task.crashes .. ' times'))
end

-- The task that is there already under the same own id or unique key.
local function same_task(of)
    if of.own then
        if own_ids[of.own] == nil then own_ids[of.own] = call('HGET', k, of.own) or nil end
        local known = own_ids[of.own]
        if known then
            load({tonumber(known)})
            if tasks[tonumber(known)] then return tasks[tonumber(known)] end
        end
    end
    return of.unique and unique_holder(of.unique)
end

-- Tasks behind number `seq`: from ARGV[from] on, a record without its time and how it begins for each. Adds index, seq
-- and nonce of each duplicate to `reply`; gives the last number.
local function store_tasks(seq, from, reply)
    local time = struct.pack('<I6', now)
    for n = from, #ARGV, 2 do
        local record, how = time .. ARGV[n], ARGV[n + 1]
        local task = fresh(seq + 1, record)
        local there = same_task(info(task))
        if there then
            reply[#reply + 1] = (n - from) / 2
            reply[#reply + 1] = there.seq
            reply[#reply + 1] = there.nonce
        else
            seq = seq + 1
            tasks[seq] = task
            bodies[#bodies + 1] = seq
            bodies[#bodies + 1] = record
            if info(task).own then own_ids[info(task).own] = seq end
            lock_unique(task)
            local hold, delay, at = 0, 0, 0
            if how ~= '' then hold, delay, at = struct.unpack('<Bdd', how) end
            task.when = math.min(math.max(at, now + delay, now), forever)
            task.state = HELD
            count(HELD, 1)
            changed[seq] = true
            if hold == 1 then
                watch_limit(task)
            else
                make_ready(task, task.when)
                if task.state == WAITING then
                    task.when = 0
                    changed[seq] = nil  -- nothing to say that the record does not
                end
            end
        end
    end
    return seq
end

local function attempts(task)
    return task.failed + ((task.state >= RUNNING and task.state <= SUCCEEDED) and 1 or 0)
end

-- Whether a consumer has a lease, and whether one has ended about which nothing has been done yet.
local function has_lease(consumer)
    local till = tonumber(call('ZSCORE', C, consumer) or forever + 1)
    return till > now and till <= forever, till <= now
end

-- What a consumer holds, newest first, so that giving all back keeps their order.
local function held_by(consumer)
    local seqs = {}
    for _, member in ipairs(call('SMEMBERS', key('a:' .. consumer))) do
        if string.byte(member) == 64 then  -- @
            local of = open_segment(string.sub(member, 2)) or {first = 0, count = 0}
            for seq = of.first, of.first + of.count - 1 do
                local hold = of.holds[code_of(of, seq)]
                if hold and hold.consumer == consumer then seqs[#seqs + 1] = seq end
            end
        else
            seqs[#seqs + 1] = tonumber(member)
        end
    end
    table.sort(seqs, function(a, b) return a > b end)
    return seqs
end

-- The answer in what is kept for a producer, if it is that to this batch.
local function answer_in(kept, batch)
    local of, at = struct.unpack('<d', kept)
    return of == batch and cmsgpack.unpack(string.sub(kept, at)) or nil
end

-- The answer to a producer's batch if that has been carried out already: then the answer got lost.
local function answered(producer, batch)
    local before = producer and call('GET', producer)
    return before and answer_in(before, batch) or nil
end

local function remember_answer(producer, batch, reply)
    if producer then
        also[#also + 1] = {'SET', producer, struct.pack('<d', batch) .. cmsgpack.pack(reply), 'PX', 600000}
    end
end

-- --- messages ---------------------------------------------------------------------------------------------

-- A text with its length in front.
local function text(value) return struct.pack('<I4', #value) .. value end
local queue = string.sub(prefix, 5, -3)

-- What those are told who wait for a task that has ended.
local function end_of(task)
    return 'E' .. text(queue) .. struct.pack('<dI4BI4', task.seq, task.nonce, task.state, attempts(task)) ..
               text(task.result) .. text(task.error)
end

-- --- subtasks -----------------------------------------------------------------------------------------------

local function fail_for_children(task, why)
    task.failed = task.failed + 1
    fail(task, why)
end

-- Why a task fails whose subtask ended like that.
local function child_failure(field, state, why)
    local how = state == CANCELLED and 'was cancelled' or state == EXPIRED and 'expired' or 'failed'
    if state == FAILED then
        local is_json, told = pcall(cjson.decode, why)
        if is_json and type(told) == 'table' and type(told.message) == 'string' then how = how .. ': ' .. told.message end
    end
    local message = cjson.encode('subtask "' .. string.sub(field, 2) .. '" ' .. how)
    return '{"code":"task_failed","type":"","message":' .. message .. ',"pointer":"","expected":""}'
end

local CONTINUATION = 'c~then'
local function end_by_continuation(task, state, result, why)
    if state ~= SUCCEEDED then return fail_for_children(task, child_failure(CONTINUATION, state, why)) end
    task.result = result
    finish(task, SUCCEEDED)
end

-- Whether a task that waits for its subtasks has ended by them.
local function judge_children(task)
    local of = journal_of(task)
    if of.continued then return end
    local kind, needed = string.match(of.policy, '^(%a)(%d*)$')
    local succeeded, failed = of.done - of.failed, of.failed
    if kind == 'q' then
        needed = tonumber(needed)
        if of.total - failed < needed then
            return fail_for_children(task, of.why ~= '' and of.why or failure('task_failed', 'it has fewer subtasks than must succeed'))
        end
        if succeeded < needed then return end
    else
        if kind ~= 'c' and failed > 0 then return fail_for_children(task, of.why) end
        if of.done < of.total then return end
    end
    local after = note_in(of, CONTINUATION)
    if not after then return finish(task, SUCCEEDED) end
    of.continued, of.changed = true, true
    local is_open, _, _, place, at = parse_child(after)
    if not is_open then  -- cancelled by hand, for instance, or in an earlier attempt
        local state, _, result, why = struct.unpack('<BI4I4c0I4c0', after, at)
        return end_by_continuation(task, state, result, why)
    end
    outgoing[string.format('S%d', task.seq)] = struct.pack('<I4', task.nonce) .. place
end

-- With subtasks that it has spawned, a task ends when their policy says so; false where there are none.
local function wait_for_children(task, result)
    if not task.journal then return false end
    local of = journal_of(task)
    if of.total == 0 and not note_in(of, CONTINUATION) then return false end
    task.result = result
    detach(task)
    enter(task, WAITING_CHILDREN)
    watch_limit(task)
    judge_children(task)
    return true
end

-- A subtask has ended: once.
local function end_child(task, field, own, state, tries, result, why)
    if not task.journal then return end
    local of = journal_of(task)
    local note = note_in(of, field)
    if not note or string.byte(note) ~= 111 then return end
    local _, is_spawned, _, place = parse_child(note)
    if string.match(place, '[^\n]*$') ~= own then return end  -- another has taken its place
    of.notes[field] = 'd' .. string.sub(note, 2) .. struct.pack('<BI4', state, tries) .. text(result) .. text(why)
    of.changed = true
    if is_spawned then
        of.done = of.done + 1
        if state ~= SUCCEEDED then
            of.failed = of.failed + 1
            if of.failed == 1 then of.why = child_failure(field, state, why) end
        end
    else
        of.calls = of.calls - 1
    end
    if task.state ~= WAITING_CHILDREN then return end
    if field ~= CONTINUATION then return judge_children(task) end
    end_by_continuation(task, state, result, why)
end

-- The parents of what has ended hear of it; those in other queues by whoever relays it.
local function tell_parents()
    local n = 1
    while ending[n] do
        local task = ending[n]
        local parent = info(task).parent
        if parent.queue == queue then
            local known = find(parent.seq, parent.nonce)
            if known then end_child(known, parent.key, info(task).own or '', task.state, attempts(task), task.result, task.error) end
        else
            outgoing[string.format('D%d', task.seq)] = struct.pack('<BI4', task.state, attempts(task)) .. text(parent.queue) ..
                struct.pack('<dI4', parent.seq, parent.nonce) .. text(parent.key) .. text(info(task).own or '') .. text(task.result) .. text(task.error)
        end
        n = n + 1
    end
end

-- Those who wait for what has ended.
local function tell_waiters()
    if #ended == 0 or call('EXISTS', w) == 0 then return end
    local seqs, gone = {}, {}
    for n, task in ipairs(ended) do seqs[n] = task.seq end
    local found = read(w, seqs)
    for n, task in ipairs(ended) do
        if found[n] then
            gone[#gone + 1] = task.seq
            local message = end_of(task)
            for inbox in string.gmatch(found[n], '[^\n]+') do messages[#messages + 1] = {inbox, message} end
        end
    end
    return gone
end

-- Tells one who sleeps for want of tasks to look again; false when nobody was there any more.
local function wake(member)
    if call('ZREM', i, member) == 0 then return false end
    local inbox, sleeper = string.match(member, '^([^\n]*)\n([^\n]*)\n')
    return call('PUBLISH', inbox, 'W' .. text(queue) .. text(sleeper)) ~= 0
end

-- When time alone may next give those who sleep something to do.
local function next_change()
    local soonest = forever
    for _, set in ipairs({d, C}) do
        local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')
        soonest = math.min(soonest, tonumber(first[2] or forever))
    end
    return soonest
end

-- Whether a sleeper must be woken to watch the clock, now that `member` does not: it was the one who did, or the one
-- that was woken because something falls due earlier than who watches knows.
local function is_unwatched(member, watcher, till)
    local soonest = next_change()
    return soonest < forever and (not watcher or watcher == member or soonest < tonumber(till or forever))
end

-- What a fetch leaves behind: whether others must be woken, and whether it sleeps now. `sleeping`: some do;
-- `fed`: it does not, as something was found or there is more to look at; `is_left`: something for others; `state`:
-- paused, lanes, watcher and watching; `names`: what it knows, or nil. Gives when something will fall due if it sleeps,
-- or -1.
local function leave_behind(sleeping, fed, is_left, state, signature, names)
    if sleeping and is_left and not state[1] then wakes = 2 end
    if myself == '' then return -1 end
    if fed then
        if not sleeping then return -1 end
        also[#also + 1] = {'ZREM', i, myself}
        if is_unwatched(myself, state[3], state[4]) then wakes = math.max(wakes, 1) end
        return -1
    end
    also[#also + 1] = {'ZADD', i, now, myself}
    if names then also[#also + 1] = {'HSETNX', N, signature, names} end
    -- One sleeper at a time keeps an eye on the clock: the last one to fall asleep.
    local soonest = next_change()
    if soonest == forever then return -1 end
    also[#also + 1] = {'HSET', c, 'watcher', myself, 'watching', string.format('%d', soonest)}
    return soonest
end

-- --- the end of every script ----------------------------------------------------------------------------

-- Those of whom some will be woken.
local function sleepers()
    if wakes == 0 then return {} end
    return call('ZRANGE', i, 0, wakes + 7)
end

-- What every script writes last.
local function write_rest(asleep)
    for what, by in pairs(counts) do
        if by ~= 0 then call('HINCRBY', c, 'n' .. what, by) end
    end
    for _, command in ipairs(also) do call(unpack(command)) end
    for _, message in ipairs(messages) do call('PUBLISH', message[1], message[2]) end
    for _, member in ipairs(woken) do wake(member) end
    for _, member in ipairs(asleep) do
        if wakes == 0 then break end
        if member ~= myself and wake(member) then wakes = wakes - 1 end
    end
end

-- Adds the lanes of those priorities to the known ones.
local function know_lanes(known, priorities)
    local all = known
    for _, priority in ipairs(priorities) do
        if not string.find(all, ',' .. priority .. ',', 1, true) then all = all .. priority .. ',' end
    end
    if all ~= known then also[#also + 1] = {'HSET', c, 'lanes', all} end
end

local function store_segment(of, text)
    if text then
        also[#also + 1] = {'HSET', b, of.first .. 't', text}
    else
        also[#also + 1] = {'HDEL', b, of.first, of.first .. 't', of.first .. 'o'}
        also[#also + 1] = {'ZREM', B, of.name}
    end
end

-- What becomes of the segments whose tasks have changed.
local function close_segments()
    for seq in pairs(changed) do
        local task = tasks[seq]
        local of = task.segment
        if of then
            local keeps_turn = task.in_turn and task.state == WAITING
            mark(of, seq, keeps_turn and IN_TURN or OWN)
            if task.state == RUNNING then append(held_add, task.holder, seq) end
        end
    end
    for name, of in pairs(segments) do
        if next(of.changes) then
            local text, released = rewritten(of)
            for consumer in pairs(released) do append(held_remove, consumer, '@' .. name) end
            store_segment(of, text)
        end
    end
end

-- Writes everything. Comes back with the reply to give, which is `reply` unless a key was not declared.
local function commit(reply)
    tell_parents()
    local told = tell_waiters()
    wakes = wakes + math.min(ready, 8)
    if next(sorted_sets[d]) then  -- who sleeps until the next task falls due may have to wake earlier
        local soonest = forever
        for _, at in pairs(sorted_sets[d]) do soonest = math.min(soonest, at or forever) end
        local first = call('ZRANGE', d, 0, 0, 'WITHSCORES')
        if soonest < tonumber(first[2] or forever) then wakes = wakes + 1 end
    end
    local asleep = sleepers()
    if next(lanes_head) or next(lanes_tail) then
        local priorities = {}
        for _, pushed in ipairs({lanes_head, lanes_tail}) do
            for name in pairs(pushed) do priorities[#priorities + 1] = string.sub(name, #prefix + 3) end
        end
        know_lanes(call('HGET', c, 'lanes') or ',', priorities)
    end
    local lengths = {}
    for _, lists in ipairs({lanes_remove, lanes_head, lanes_tail}) do  -- a key of another type shows before the first write
        for name in pairs(lists) do lengths[name] = call('LLEN', name) end
    end
    close_segments()
    for consumer in pairs(held_add) do key('a:' .. consumer) end
    for consumer in pairs(held_remove) do key('a:' .. consumer) end
    if #missing > 0 then return {'NEED', unpack(missing)} end

    write('HSET', r, bodies)
    for seq in pairs(changed) do
        states[#states + 1] = seq
        states[#states + 1] = tasks[seq].packed or pack_state(tasks[seq])
    end
    write('HSET', s, states)
    if #erased > 0 then
        write('HDEL', r, erased)
        write('HDEL', s, erased)
        write('HDEL', w, erased)
        if call('EXISTS', g) == 1 then
            local fields = {}
            for _, seq in ipairs(erased) do
                fields[#fields + 1] = seq .. 'p'
                fields[#fields + 1] = seq .. 'l'
            end
            write('HDEL', g, fields)
        end
    end
    for name, seqs in pairs(lanes_head) do write('LPUSH', name, seqs) end
    for name, seqs in pairs(lanes_tail) do write('RPUSH', name, seqs) end
    for name, seqs in pairs(lanes_remove) do
        -- In a long lane what is out stays as a remnant, which `fetch` drops: finding it would take too long.
        if lengths[name] <= 1000 then
            for _, seq in ipairs(seqs) do call('LREM', name, 1, seq) end
        end
    end
    local ends = sorted_sets[f]
    sorted_sets[f] = {}
    for at, seqs in pairs(ends) do
        if seqs == false then sorted_sets[f][at] = false
        elseif at < forever then sorted_sets[f][table.concat(seqs, ',')] = at end
    end
    for name, members in pairs(sorted_sets) do
        local add, out = {}, {}
        for member, score in pairs(members) do
            if score then
                add[#add + 1] = string.format('%d', score)
                add[#add + 1] = member
            else
                out[#out + 1] = member
            end
        end
        write('ZADD', name, add)
        write('ZREM', name, out)
    end
    for consumer, seqs in pairs(held_remove) do write('SREM', key('a:' .. consumer), seqs) end
    for consumer, seqs in pairs(held_add) do write('SADD', key('a:' .. consumer), seqs) end
    for hash, changes in pairs({[k] = own_ids, [y] = unique_keys, [x] = cancels}) do
        for field, value in pairs(changes) do
            if value then call('HSET', hash, field, value) else call('HDEL', hash, field) end
        end
    end
    if told and #told > 0 then write('HDEL', w, told) end
    write_journals()
    write_rest(asleep)
    if reply[1] == 'OK' and next(outgoing) then reply[1] = 'RELAY' end
    return reply
end
