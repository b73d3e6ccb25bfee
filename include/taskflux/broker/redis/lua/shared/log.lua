-- A task's log as it is stored: its newest lines, JSON each, by line breaks. Each begins with where it is from, but for those
-- that older versions wrote.

-- The lines of a log, and the number of the first: the newest that has a number says those of all others.
local function lines_in(log)
    local lines = {}
    for line in string.gmatch(log, '[^\n]+') do lines[#lines + 1] = line end
    for n = #lines, 1, -1 do
        local number = whole(string.match(lines[n], '^{"from":{"number":(%d+),'))
        if number and number < most_kept.log_numbers then return lines, math.max(1, number - n + 1) end
    end
    return lines, 1
end

-- Adds lines to these, of which the first has that number, unless they are the very same as the last ones, times and all: sent
-- again, as the answer got lost. Of those so many that the first were dropped at once, the others are compared. `rest`: what is
-- behind the number in what they are from.
local function add_lines(lines, first, added, rest)
    local function numbered(line, number)
        return '{"from":{"number":' .. string.format('%d', number) .. rest .. string.sub(line, 2)
    end
    local at = #lines - #added
    local is_known = #lines > 0 and first + at > 0
    for n = math.max(1, 1 - at), #added do is_known = is_known and lines[at + n] == numbered(added[n], first + at + n - 1) end
    if is_known then return end
    for _, line in ipairs(added) do lines[#lines + 1] = numbered(line, first + #lines) end
end

-- The last ones, as they are stored.
local function last_lines(lines)
    local from, bytes = #lines + 1, 0
    while from > 1 and #lines - from + 1 < most_kept.log_lines do
        bytes = bytes + #lines[from - 1]
        if bytes > most_kept.log_bytes and from <= #lines then break end
        from = from - 1
    end
    return table.concat(lines, '\n', from) .. '\n'
end
