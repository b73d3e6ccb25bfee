-- How a script gets at the server: its keys, its clock, and commands with many words.

local prefix = string.sub(keys.queue, 1, -2)
local declared, missing = {}, {}  -- of the keys that not every queue has
for n = first_own, #KEYS do declared[KEYS[n]] = true end
local call = redis.call
-- Says something on a channel; gives how many heard it. None where the user has lost the right to: who waits looks again by
-- itself, and the caller must hear of what has been written.
local function publish(channel, message)
    local heard = redis.pcall('PUBLISH', channel, message)
    return type(heard) == 'number' and heard or 0
end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)  -- ms since 1970

-- The full name of a key that not every queue has. When it was not declared, the script must end with NEED.
local function key(name)
    name = prefix .. name
    if not declared[name] then
        missing[#missing + 1] = name
        declared[name] = true
    end
    return name
end

-- A number that was read: whole, from 0 to 10^15; nil where the text says anything else. What counts, numbers tasks or
-- bounds a loop comes through here, as 1e300, inf and nan are numbers too.
local function whole(value)
    local number = tonumber(value)
    return number and number >= 0 and number <= stored_time.never and number % 1 == 0 and number or nil
end

-- Digits as a number below 10^15; false where there are too many.
local function of_digits(text) return #text <= bound.digits and tonumber(text) end

-- Whether a number that was read can be a time or a duration: nan is neither.
local function is_time(value) return value >= 0 and value <= stored_time.never end

-- A time that was read, in ms and parts of one: to be looked at by `is_time`; nil where the text is no number.
local function moment(value) return tonumber(value or '') end

-- The last number that the queue has given.
local function last_number(value)
    local number = whole(value or 0)
    return number and number < bound.numbers and number or error('the queue can number no tasks: field seq of ' .. keys.queue ..
                                      ' is damaged; set it to a number that no task has reached')
end

-- Adds to a counter of the queue; what is no number begins anew.
local function add_to(field, by)
    if type(redis.pcall('HINCRBY', keys.queue, field, by)) == 'table' then call('HSET', keys.queue, field, math.max(by, 0)) end
end

-- A number as a member of a sorted set: equal scores keep the order of submission.
local function padded(seq) return string.format('%014d', seq) end

-- Reads many fields of a hash; false for those that are not there.
local function read(hash, fields)
    if #fields == 0 then return {} end
    if #fields <= bound.words then return call('HMGET', hash, unpack(fields)) end
    local found = {}
    for from = 1, #fields, bound.words do
        local some = call('HMGET', hash, unpack(fields, from, math.min(from + bound.words - 1, #fields)))
        for n = 1, #some do found[from + n - 1] = some[n] end
    end
    return found
end

-- A command with a long tail of words, in slices of an even length.
local function write(command, name, words)
    for from = 1, #words, bound.words do
        call(command, name, unpack(words, from, math.min(from + bound.words - 1, #words)))
    end
end

-- The first score of a sorted set of times; a time that does not come where it is empty. O(log n).
local function first_time(set) return tonumber(call('ZRANGE', set, 0, 0, 'WITHSCORES')[2] or stored_time.never) end
-- The score of a member of such a set, or nil.
local function time_of(set, member) return tonumber(call('ZSCORE', set, member)) end
-- Whether something in such a set is due. O(log n).
local function due(set) return first_time(set) <= now end

-- Whether time alone has something to bring about: `maintain` must come first.
local function is_due() return due(keys.scheduled) or due(keys.limited) or due(keys.leases) or due(keys.forgotten) end

local also = {}  -- commands that `write_rest` performs

-- Leaves corrupt or foreign data as it is, and tells of it: what it is called -> why it can't be used.
local damage = {}
local function set_aside(what, why)
    damage[what] = why
    also[#also + 1] = {'HSET', keys.set_aside, what, why}
end
-- A foreign member of a set or lane is taken out, so that it is not met for ever; what it was stays in `keys.set_aside`.
local function tell_of_foreign(name, member)
    set_aside(string.sub(name, #prefix + 1) .. ' ' .. string.sub(member, 1, bound.told), 'it is foreign, and was taken out')
end
local function drop_foreign(set, member)
    tell_of_foreign(set, member)
    also[#also + 1] = {'ZREM', set, member}
end
local function is_set_aside(what) return damage[what] ~= nil end
