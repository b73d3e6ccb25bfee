-- How a script gets at the server: its keys, its clock, and commands with many words.

local prefix = string.sub(keys.queue, 1, -2)
local declared, missing = {}, {}
for n = 1, #KEYS do declared[KEYS[n]] = true end
local call = redis.call
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

-- Whether something in a sorted set of times is due. O(log n).
local function due(set)
    local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')
    return first[2] and tonumber(first[2]) <= now
end

-- Whether time alone has something to bring about: `maintain` must come first.
local function is_due() return due(keys.scheduled) or due(keys.limited) or due(keys.leases) or due(keys.forgotten) end

local also = {}  -- commands that `write_rest` performs

-- Leaves corrupt or foreign data as it is, and tells of it: what it is called -> why it can't be used.
local function set_aside(what, why) also[#also + 1] = {'HSET', keys.set_aside, what, why} end
local function is_set_aside(what)
    for _, command in ipairs(also) do
        if command[2] == keys.set_aside and command[3] == what then return true end
    end
    return false
end
