-- What is read a few items at a time, as each of them may be large, and an answer is bounded by bytes.

-- How many items to read after a slice of that length, when so many of so many bytes have been read: twice as many, unless
-- these would have more than about `bound.answer` bytes.
local function next_length(length, items, bytes)
    return math.min(2 * length, bound.words, math.max(1, math.floor(bound.answer * (items + 1) / (bytes + 1))))
end

-- Has `read_some` read slices of `items`, which gives their bytes, and `take` take the items one by one until it gives false.
-- Gives how many were taken.
local function in_slices(items, read_some, take)
    local from, length, bytes = 1, bound.first_slice, 0
    while from <= #items do
        local till = math.min(from + length - 1, #items)
        bytes = bytes + read_some({unpack(items, from, till)})
        for n = from, till do
            if take(items[n], n) == false then return n - 1 end
        end
        from, length = till + 1, next_length(length, till, bytes)
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
