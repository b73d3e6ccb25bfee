-- What `commit` will write: gathered while a script runs, so that it can still end without having changed anything.

local counts = {}                                           -- by what is counted
local ready, erased, ended = 0, {}, {}                      -- how many have become ready; numbers; tasks
local arrived = {}                                          -- numbers of those that were not submitted just now
local lanes_head, lanes_tail, lanes_remove = {}, {}, {}     -- lane -> numbers
local sorted_sets = {                                       -- member -> score, or false: out
    [keys.scheduled] = {}, [keys.limited] = {}, [keys.forgotten] = {}, [keys.unclaimed] = {}, [keys.sleepers] = {},
    [keys.keyed] = {}, [keys.turns] = {}, [keys.turn_times] = {}, [keys.arrivals] = {}
}
local held_add, held_remove = {}, {}                        -- consumer -> numbers
local own_ids, unique_keys, successors, cancels = {}, {}, {}, {}  -- false: out
local bodies, states = {}, {}                               -- number, text, number, text…
local messages, hearers = {}, {}                            -- {channel, text} each; number -> channels, where they are more
local wakes, knowers, myself = 0, {most = 0}, ''            -- how many sleepers, and how many of those; and who not
local shows = false                                         -- whether those that peek have something new to look at

local function count(what, by) counts[what] = (counts[what] or 0) + by end

-- What a queue's statistics count of the tasks of a name is a counter of the queue, until `count_attempts` takes it over: by
-- the period of 10 s, the place in `counted`, and the name. Where the queue has too many of them, names and periods are told
-- apart no longer.
local function counter_of(place, name)
    return ':' .. math.floor(now / period_ms.ten_seconds) .. ':' .. place .. ':' .. name
end
local has_room = nil
local function count_submitted(name, by)
    if has_room == nil then has_room = call('HLEN', keys.queue) < bound.counters end
    count(has_room and counter_of(counted.submitted, name) or ':0:' .. counted.submitted .. ':', by)
end

local function append(lists, name, value)
    local list = lists[name]
    if not list then
        list = {}
        lists[name] = list
    end
    list[#list + 1] = value
end
