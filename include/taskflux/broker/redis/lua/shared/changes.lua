-- What `commit` will write: gathered while a script runs, so that it can still end without having changed anything.

local counts = {}                                           -- by what is counted
local ready, erased, ended = 0, {}, {}                      -- how many have become ready; numbers; tasks
local lanes_head, lanes_tail, lanes_remove = {}, {}, {}     -- lane -> numbers
local sorted_sets = {                                       -- member -> score, or false: out
    [keys.scheduled] = {}, [keys.limited] = {}, [keys.forgotten] = {}, [keys.unclaimed] = {}, [keys.sleepers] = {},
    [keys.keyed] = {}, [keys.turns] = {}, [keys.turn_times] = {}
}
local held_add, held_remove = {}, {}                        -- consumer -> numbers
local own_ids, unique_keys, successors, cancels = {}, {}, {}, {}  -- false: out
local bodies, states = {}, {}                               -- number, text, number, text…
local messages = {}                                         -- {channel, text} each
local wakes, knowers, myself = 0, {most = 0}, ''            -- how many sleepers, and how many of those; and who not

local function count(what, by) counts[what] = (counts[what] or 0) + by end
local function append(lists, name, value)
    local list = lists[name]
    if not list then
        list = {}
        lists[name] = list
    end
    list[#list + 1] = value
end
