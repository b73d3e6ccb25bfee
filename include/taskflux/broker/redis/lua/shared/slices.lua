-- What is read a few items at a time, as each of them may be large, and an answer is bounded by bytes.

-- Has `read_some` read slices of `items`, each twice as long as the one before, and `take` take the items one by one until it
-- gives false. Gives how many were taken.
local function in_slices(items, read_some, take)
    local from, length = 1, bound.first_slice
    while from <= #items do
        local till = math.min(from + length - 1, #items)
        read_some({unpack(items, from, till)})
        for n = from, till do
            if take(items[n], n) == false then return n - 1 end
        end
        from, length = till + 1, math.min(2 * length, bound.words)
    end
    return #items
end

-- An answer of up to `bound.answer` bytes, or one item that is larger: whether so many more bytes fit.
local answered_bytes = 0
local function fits(bytes)
    local is_first = answered_bytes == 0
    answered_bytes = answered_bytes + bytes
    return is_first or answered_bytes <= bound.answer
end
