-- Tasks that have a key. How many of a key run is counted nowhere: `keyed` has a member for each that does, which comes and
-- goes with its state. So what is left behind by damage is found by a look at the tasks that it names.

-- What has changed of keys in this script, by number and by name: how many tasks have become ready since the key was put in its
-- place, how many wait anew, how many more run, how many of those that are stored as waiting do so no longer. At 0: when the
-- first of those that a rate holds back may go on. At -1: whether those whose time has come are
-- among these; at -2: how many keys have the short form; at -3: whether others have passed over any. No names, which could be
-- keys.
local touched = {[0] = stored_time.never}

-- Notes that something about a key changes. A key that has the short form takes the other one.
local function touch(name)
    local of = touched[name]
    if not of then
        of = {name = name, fresh = 0, waiting = 0, running = 0, removed = 0}
        touched[name], touched[#touched + 1] = of, of
        touched[-2] = touched[-2] or call('HLEN', keys.short_keys)
        local text = touched[-2] > 0 and call('HGET', keys.short_keys, name)
        if text then
            of.short_running, of.short_waiting = members_in(name, text)
            of.ran = #of.short_running
            for _, those in ipairs({of.short_running, of.short_waiting}) do
                for _, member in ipairs(those) do sorted_sets[keys.keyed][member] = 0 end
            end
            also[#also + 1] = {'HDEL', keys.short_keys, name}
        end
    end
    of.is_changed = true
    return of
end

local function key_of(task) return task.special and info(task).key end

local function keyed_member(letter, task)
    local of = info(task)
    of.member = of.member or string.format('%s\0%03d\0%014d', of.key, stored_base.priority - of.priority, task.seq)
    return letter .. of.member
end

-- By its letter, it waits to be started by its key, or it runs; or it does so no longer.
local function by_key(task, letter, is_on)
    local of = touch(info(task).key)
    sorted_sets[keys.keyed][keyed_member(letter, task)] = is_on and 0 or false
    if letter == key_letter.running then of.running = of.running + (is_on and 1 or -1)
    elseif is_on then of.fresh, of.waiting = of.fresh + 1, of.waiting + 1
    else of.removed = of.removed + 1 end
end

-- Others have passed the task over, or one has come that knows it. Such tasks stand by key and name, out of the way of who does
-- not know them; shared/passed.lua marks where they may start. `passed`: the names of which something has changed, and in what
-- order those come that are new.
local function by_passing(task, is_on)
    local of, name = touch(info(task).key), info(task).name
    local order = string.format('%03d\0%s', stored_base.priority - info(task).priority, padded(task.seq))
    sorted_sets[keys.keyed][table.concat({key_letter.passed, of.name, '\0', name, '\0', order})] = is_on and 0 or false
    of.passed = of.passed or {}
    of.passed[name] = of.passed[name] or {}
    if is_on then append(of.passed, name, order) else of.left = (of.left or 0) + 1 end
end

local function enter(task, state)
    local runs, ran = state == task_state.running, task.state == task_state.running
    if runs ~= ran and key_of(task) then by_key(task, key_letter.running, runs) end
    count(task.state, -1)
    count(state, 1)
    task.state = state
    changed[task.seq] = true
end
