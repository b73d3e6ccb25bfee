-- What the quick scripts for tasks with a key share. They know the usual case: the key is all that is special about a task, one
-- limit without a rate holds for each key, and nobody has passed over a task that has one.

-- Key and number before others of the same key, as priority and number order them, of a task of which nothing else is special;
-- nil where that is not so. `shift`: by how many bytes the record is shorter in front.
local function lone_key(record, shift)
    local version, flags, priority = string.byte(record, record_at.version - shift, record_at.priority - shift)
    local at = (string.byte(record, record_at.name_length - shift) or 0) + record_at.name - shift
    local low, high = string.byte(record, at, at + 1)
    if not high or version ~= stored_version.keyed_record or bit.band(flags, record_flags.special) ~= record_flag.has_key then
        return nil
    end
    local till = at + 1 + low + high * 256
    if till == at + 1 or #record < till then return nil end
    return string.sub(record, at + 2, till), 2 * stored_base.priority - priority
end

-- How a member of `keys.keyed` ends.
local function member_end(order, seq) return string.format('\0%03d\0%014d', order, seq) end

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

-- Up to so many members of those of a key that wait, behind `from`.
local function members_of(name, from, most)
    return call('ZRANGEBYLEX', keys.keyed, from and '(' .. from or '[' .. key_letter.waiting .. name .. '\0',
                '(' .. key_letter.waiting .. name .. '\1', 'LIMIT', 0, most)
end
