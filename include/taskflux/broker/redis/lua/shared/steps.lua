-- Tasks that are read in steps, which together have up to `bound.read` bytes: each may be large, and the server serves nobody
-- else until a script has ended.

local read_bytes, is_read_up = 0, false

-- Whether so many bytes more may be read: those of the first always, so that each call gets on.
local function may_read(bytes)
    is_read_up = is_read_up or read_bytes > 0 and read_bytes + bytes > bound.read
    if not is_read_up then read_bytes = read_bytes + bytes end
    return not is_read_up
end

-- Bytes that `load` reads of a task that stands by itself; what a segment has is small.
local function bytes_of(seq, with_records)
    local state = call('HSTRLEN', keys.states, seq)
    return state + ((with_records or state == 0) and call('HSTRLEN', keys.records, seq) or 0)
end

-- Loads tasks, few at first, and has `take` take them one by one, until it gives false or no more may be read. Gives how many
-- were taken.
local function in_steps(seqs, with_records, take)
    local from, length = 1, bound.first_slice
    while from <= #seqs do
        local till, last = from - 1, math.min(from + length - 1, #seqs)
        while till < last and may_read(bytes_of(seqs[till + 1], with_records)) do till = till + 1 end
        if till < from then return till end
        load({unpack(seqs, from, till)}, with_records)
        for n = from, till do
            if take(seqs[n]) == false then return n - 1 end
        end
        from, length = till + 1, math.min(2 * length, bound.words)
    end
    return #seqs
end
