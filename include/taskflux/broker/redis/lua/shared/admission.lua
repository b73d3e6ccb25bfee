-- The gate before every start: how many tasks may start now, and if not more, why. Every script that hands tasks out, or
-- wakes somebody who would fetch them, asks here; nothing else reads whether the queue is paused or limited. One HMGET, for
-- the gate and what its caller needs of the same hash; one more where there is a limit.

local limit_here = nil                  -- the queue's limit and where it stands, once `admit` has met one
local starts_again = stored_time.never  -- when the rate lets a task start for which now is too early

-- A limit as it is stored; nil: there is none, or it is damaged.
local function limit_in(stored)
    if not stored or #stored ~= stored_size.limit then return nil end
    local running, emission, tolerance = struct.unpack(format.limit, stored)
    return is_time(running) and is_time(emission) and is_time(tolerance) and
               {running = running, emission = emission, tolerance = tolerance} or nil
end

-- When the rate lets the next task start.
local function opening() return math.ceil(limit_here.arrival - limit_here.tolerance) end

-- To be called when so many tasks wait.
local function note_opening(waiting)
    if waiting > 0 and limit_here.emission > 0 and opening() > now then starts_again = opening() end
end

-- How many of `most` tasks may start now; why not more, or nil when nothing holds them back; and the values of these fields
-- of `keys.queue`. The rate goes by the generic cell rate algorithm, as in core/limit.hpp.
local function admit(most, ...)
    local found, held_back = call('HMGET', keys.queue, 'paused', 'limit', ...), nil
    if found[1] then return 0, 'paused', unpack(found, 3) end
    limit_here = limit_in(found[2])
    if limit_here then
        local stand = call('HMGET', keys.queue, 'arrival', counter.running, counter.waiting)
        local arrival = stand[1] and #stand[1] == stored_size.number and struct.unpack(format.number, stand[1]) or 0
        limit_here.arrival, limit_here.waiting = is_time(arrival) and math.max(arrival, now) or now, whole(stand[3]) or 0
        local room = math.max(0, limit_here.running - (whole(stand[2]) or 0))
        if room < most then most, held_back = room, 'running' end
        if limit_here.emission > 0 then
            room = math.max(0, math.floor((now + limit_here.tolerance - limit_here.arrival) / limit_here.emission) + 1)
            if room < most then most, held_back = room, 'rate' end
        end
        note_opening(limit_here.waiting)
    end
    return most, held_back, unpack(found, 3)
end

-- So many have started, as `admit` has allowed.
local function note_started(count)
    if not limit_here or limit_here.emission == 0 or count == 0 then return end
    limit_here.arrival = limit_here.arrival + count * limit_here.emission
    also[#also + 1] = {'HSET', keys.queue, 'arrival', struct.pack(format.number, limit_here.arrival)}
    note_opening(limit_here.waiting - count)
end

-- How many sleepers to wake when so many tasks end to run: as many as may start for that, where a limit has held them back;
-- how many run; and the values of these fields of `keys.queue`.
local function room_after(ends, ...)
    local found = call('HMGET', keys.queue, 'limit', counter.running, counter.waiting, ...)
    local known, running, room = limit_in(found[1]), whole(found[2]) or 0, 0
    if known and known.running < stored_time.never then
        room = math.max(0, math.min(ends, known.running - running + ends, whole(found[3]) or 0, bound.wakes))
    end
    return room, running, unpack(found, 4)
end
