-- The short form of a key: where it has few tasks that wait or run, and nothing special has happened to them, it has a field of
-- `short_keys` in place of members of `keyed`. How many of them run (1 byte); then of each task 100 less its priority and its
-- number, first those that run, and behind them those that wait, in the order in which they start. So a task starts by a change
-- of the first byte, and the quick scripts read and write those of all keys of a call by one command each.

-- How a member of `keyed` ends.
local function member_end(order, seq) return string.format('\0%03d\0%014d', order, seq) end

-- How many tasks a key has, and how many run; fewer where the text is damaged.
local function lengths_in(text)
    local many = math.floor(math.max(#text - 1, 0) / short_size.task)
    return many, math.min(string.byte(text) or 0, many)
end

-- Whether a text is one that quick scripts can use: where it is damaged, `touch` takes what is left of it.
local function is_short_form(text)
    return (#text - 1) % short_size.task == 0 and string.byte(text) <= (#text - 1) / short_size.task
end

-- Where the n-th task stands.
local function place_in(n) return 2 + short_size.task * (n - 1) end

-- The members that a key would have in `keyed`: of those that run, and of those that wait.
local function members_in(name, text)
    local many, ran = lengths_in(text)
    local running, waiting = {}, {}
    for n = 1, many do
        local order, seq = struct.unpack(format.short_task, text, place_in(n))
        if n <= ran then running[n] = key_letter.running .. name .. member_end(order, seq)
        else waiting[n - ran] = key_letter.waiting .. name .. member_end(order, seq) end
    end
    return running, waiting
end
