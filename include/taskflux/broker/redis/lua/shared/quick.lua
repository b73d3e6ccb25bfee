-- What the quick scripts for tasks with a key share. They know the usual case: the key is all that is special about a task, one
-- limit without a rate holds for each key, and nobody has passed over a task that has one.

-- Key, and 100 less the priority, of a task of which nothing else is special; nil where that is not so. `shift`: by how many
-- bytes the record is shorter in front.
local function lone_key(record, shift)
    local byte = string.byte
    local version, flags, priority, _, _, _, _, length = byte(record, record_at.version - shift, record_at.name_length - shift)
    if flags ~= record_flags.only_key and flags ~= record_flags.only_key_and_more or
        version ~= stored_version.keyed_record or not length then
        return nil
    end
    local at = length + record_at.name - shift
    local low, high = byte(record, at, at + 1)
    if not high then return nil end
    local till = at + 1 + low + high * 256
    if till == at + 1 or #record < till then return nil end
    return string.sub(record, at + 2, till), 2 * stored_base.priority - priority
end

-- How many tasks of each key may run; nil: that is not all that holds keys back. Fields of `keys.queue`.
local function limit_of_each(each, own)
    if own then return nil end
    if not each then return math.huge end
    local most, many = limit_in(each)
    if many then return nil end
    return most or math.huge
end

-- Whether others have passed over tasks that have a key.
local function has_passed()
    local till = '(' .. key_letter.behind_passed
    return call('ZRANGEBYLEX', keys.keyed, '[' .. key_letter.passed, till, 'LIMIT', 0, 1)[1] ~= nil
end

-- The last turn that a key has been given; nil: it is damaged.
local function latest_turn()
    local last = call('ZRANGE', keys.turns, '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
    local turn = whole(last[2] or 0)
    return turn and turn < bound.numbers and turn
end

-- How many tasks of a key run.
local function running_of(name)
    return call('ZLEXCOUNT', keys.keyed, '[' .. key_letter.running .. name .. '\0', '(' .. key_letter.running .. name .. '\1')
end

-- Whether a key has tasks that are stored as members of `keyed`.
local function has_long_form(name)
    for _, letter in ipairs({key_letter.waiting, key_letter.running}) do
        local from = '[' .. letter .. name .. '\0'
        if call('ZRANGEBYLEX', keys.keyed, from, '(' .. letter .. name .. '\1', 'LIMIT', 0, 1)[1] then return true end
    end
    return false
end

-- The short form of a key with one more task that waits, whose number is the greatest.
local short_none = string.char(0)
local function with_task(text, order, seq)
    local task = struct.pack(format.short_task, order, seq)
    local till, first = #text, place_in(string.byte(text) + 1)
    while till >= first and string.byte(text, till - short_size.task + 1) > order do till = till - short_size.task end
    return till == #text and text .. task or string.sub(text, 1, till) .. task .. string.sub(text, till + 1)
end

-- The same without that task, which runs; nil where it does not.
local function without_task(text, order, seq)
    local task, ran = struct.pack(format.short_task, order, seq), string.byte(text)
    for n = 1, ran do
        local from, behind = place_in(n), place_in(n + 1)
        if string.sub(text, from, behind - 1) == task then
            return string.char(ran - 1) .. string.sub(text, 2, from - 1) .. string.sub(text, behind)
        end
    end
end

-- Up to so many members of those of a key that wait, behind `from`.
local function members_of(name, from, most)
    return call('ZRANGEBYLEX', keys.keyed, from and '(' .. from or '[' .. key_letter.waiting .. name .. '\0',
                '(' .. key_letter.waiting .. name .. '\1', 'LIMIT', 0, most)
end
