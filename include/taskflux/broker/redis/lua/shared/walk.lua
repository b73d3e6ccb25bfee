-- Numbers in their order, without those that were skipped when another server took the queue over.

-- The gaps that are written down, lowest first.
local function gaps_in(text)
    local gaps = {}
    for first, last in string.gmatch(text or '', '(%d+)-(%d+)') do
        first, last = whole(first), whole(last)
        if first and last then gaps[#gaps + 1] = {first = first, last = last} end
    end
    return gaps
end

local function gaps_as_text(gaps)
    local words = {}
    for n = math.max(1, #gaps - bound.gaps + 1), #gaps do
        words[#words + 1] = string.format('%d-%d', gaps[n].first, gaps[n].last)
    end
    return table.concat(words, ',')
end

-- Up to `most` numbers behind `seen` and up to `last`; and the last number that they leave behind. Gaps that have been
-- passed are dropped from `gaps`.
local function next_numbers(seen, last, most, gaps)
    local seqs, seq = {}, seen + 1
    while #seqs < most and seq <= last do
        while gaps[1] and gaps[1].last < seq do table.remove(gaps, 1) end
        if gaps[1] and gaps[1].first <= seq then
            seq = gaps[1].last + 1
        else
            seqs[#seqs + 1] = seq
            seq = seq + 1
        end
    end
    return seqs, math.max(seen, math.min(seq - 1, last))
end

-- Calls `take` with the tasks behind `seen` in their order, until there were some, or enough was looked at or read. Gives
-- the last number looked at; where `take` has enough it gives false, and that task counts as not looked at. Numbers without
-- tasks are passed in longer and longer strides.
local function walk(seen, last, most, gaps, with_records, take)
    local has_taken, looked_at = false, 0
    while not has_taken and looked_at < bound.looked_at do
        local seqs
        seqs, seen = next_numbers(seen, last, most, gaps)
        if #seqs == 0 then break end
        open_segments(seqs[1], seqs[#seqs])
        local taken = in_steps(seqs, with_records, function(seq)
            if not tasks[seq] then return true end
            has_taken = true
            return take(tasks[seq])
        end)
        if taken < #seqs then return seqs[taken + 1] - 1 end
        looked_at = looked_at + #seqs
        most = math.min(2 * most, bound.lane_page)
    end
    return seen
end
