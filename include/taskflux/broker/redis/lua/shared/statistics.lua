-- A queue's statistics. A text of counts says 'place:number' of those that are not zero, with commas; places are those of
-- `counted`.

-- The tiers of the history: letter, length of a period in ms, how many periods are kept.
local tiers = {
    {'s', period_ms.ten_seconds, periods_kept.ten_seconds}, {'m', period_ms.minute, periods_kept.minute},
    {'q', period_ms.quarter, periods_kept.quarter},
}
local this_period = math.floor(now / period_ms.ten_seconds)  -- the period of 10 s under way

-- Calls `take(period, name, text, field, is_sent)` for all that is in no history yet: what scripts count, and what processes
-- have sent. `stored`: the whole hash of statistics.
local function pending(stored, take)
    -- What is of no period, or of one to come as the clock went back, is of this one.
    local function period_in(digits)
        local period = of_digits(digits) or 0
        return period > 0 and period < this_period and period or this_period
    end
    local counters = call('HGETALL', keys.queue)
    for n = 1, #counters, 2 do
        local period, place, name = string.match(counters[n], '^n:(%d+):(%d+):(.*)$')
        if place then take(period_in(period), name, place .. ':' .. counters[n + 1], counters[n], false) end
    end
    for n = 1, #stored, 2 do
        local period, name = string.match(stored[n], '^p=(%d+)=(.*)$')
        if name then take(period_in(period), name, stored[n + 1], stored[n], true) end
    end
end

local function add_counts(sum, text)
    for place, sign, number in string.gmatch(text or '', '(%d+):(%-?)(%d+)') do
        place, number = of_digits(place), of_digits(number) or stored_time.never - 1
        if place then sum[place] = (sum[place] or 0) + (sign == '-' and -number or number) end
    end
    return sum
end

-- The text of counts, of the places below `most`.
local function counts_text(sum, most)
    local parts = {}
    for place = 0, most - 1 do
        local number = math.min(sum[place] or 0, stored_time.never - 1)
        if number ~= 0 then parts[#parts + 1] = string.format('%d:%d', place, number) end
    end
    return table.concat(parts, ',')
end
