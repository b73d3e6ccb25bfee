-- The keys of a queue, each the letter behind the queue's prefix, with its Redis type and content (more in
-- docs/wire-format.md). Nothing else spells a key. The generator declares in front of each script those that it uses,
-- `queue` always first, and puts the letter of its local variable in the place of `keys.<name>`.
local keys = {
    queue = 'c',          -- HASH: counters, last number, lanes, whether it is paused, who watches the clock
    records = 'r',        -- HASH: number -> record, what was submitted
    states = 's',         -- HASH: number -> state, absent while nothing has happened to a waiting task
    scheduled = 'd',      -- ZSET: number -> when it is due
    limited = 'e',        -- ZSET: number -> when it is given up unless it has started
    leases = 'C',         -- ZSET: consumer -> end of its lease
    forgotten = 'f',      -- ZSET: numbers that ended together -> when they are forgotten
    unclaimed = 'u',      -- ZSET: tasks for which no worker that looked had a handler
    own_ids = 'k',        -- HASH: the user's own id -> number
    unique_keys = 'y',    -- HASH: unique key -> number:until
    successors = 'Y',     -- HASH: unique key -> number of the task that waits for the end of the one that holds it
    sleepers = 'i',       -- ZSET: fetches that wait for tasks -> since when
    waiters = 'w',        -- HASH: number -> channels to be told of its end
    reports = 'g',        -- HASH: number with p -> progress, with l -> log lines
    names = 'N',          -- HASH: signature -> names of tasks that a worker has handlers for
    consumers = 'h',      -- HASH: consumer -> lease in ms, channel
    cancels = 'x',        -- HASH: number -> nonce, token and holder of a running task to be cancelled
    segments = 'b',       -- HASH: first number -> what was submitted; with t -> status, with o -> results
    segment_index = 'B',  -- ZSET: first:count -> first
    set_aside = 'q',      -- HASH: corrupt or foreign data -> what is wrong with it
    schedules = 'S',      -- HASH: schedule -> its text
    keyed = 'P',          -- ZSET: waiting and running tasks that have a key, in the order in which those of a key start
    short_keys = 'G',     -- HASH: keys that have few tasks, to which nothing special has happened -> these
    turns = 'R',          -- ZSET: keys that have a task which may start -> when it is their turn; '': the tasks without a key
    turn_times = 'T',     -- ZSET: keys that a rate holds back -> when to look at them again
    key_rules = 'L',      -- HASH: with d, l and a key -> its own limit, as declared or live
    key_starts = 'K',     -- HASH: keys that have a rate -> when the next start is due
    statistics = 'm',     -- HASH: t=name -> counts of a task name; p=name -> those that are in no history yet; at -> since when
    history = 'M',        -- HASH: a tier's letter, a place in it, and perhaps :name -> which period, and its counts
    errors = 'E',         -- HASH: error group -> what is known of it
    failing = 'F',        -- ZSET: number:nonce:token:error group of tasks that have failed or been retried -> number
    operations = 'O',     -- HASH: operation that is under way -> what it does and how far it has come
    ended_operations = 'U',  -- HASH: operation that has ended -> the same
    outbox = 'o',         -- HASH: what tasks in other queues must hear of
    attempts = 'A',       -- HASH: number -> attempts at a task that did not end it
    arrivals = 'V',       -- ZSET: tasks that became ready later than their numbers say -> a number that stands for when
}

-- Keys that not every queue has, or of which there are many: `key` makes the full name.
-- C++: broker/redis/layout.hpp own_key
local own_key = {
    lane = 'l:',      -- LIST: waiting tasks of one priority, first come first
    held = 'a:',      -- SET: what a consumer holds
    journal = 'j:',   -- HASH: a task's journal
    producer = 'p:',  -- STRING: a producer's last batch and the answer to it
    board = 'D',      -- HASH: of a board: id -> until when, text
    events = 'ev',    -- STREAM: what has happened, as long as somebody wants to hear of it
}
