-- Puts a text on a board for a while, or takes it off.
-- in:  KEYS queue HASH, D HASH
--      ARGV id, how long in ms ('': off), text
-- out: {'OK', now in ms}; NEED
-- O(1); O(rows) for an id that is new, as rows whose time is over make room.
local board = key(own_key.board)
if #missing > 0 then return {'NEED', unpack(missing)} end
if ARGV[2] == '' then
    call('HDEL', board, ARGV[1])
    return {'OK', now}
end
local gone = {}
if call('HEXISTS', board, ARGV[1]) == 0 then  -- somebody new: those that have gone make room
    local rows = call('HGETALL', board)
    for n = 1, #rows, 2 do
        local has_time = #rows[n + 1] >= stored_size.number
        if not (has_time and struct.unpack(format.number, rows[n + 1]) > now) then gone[#gone + 1] = rows[n] end
    end
end
write('HDEL', board, gone)
call('HSET', board, ARGV[1], struct.pack(format.number, math.min(now + ARGV[2], stored_time.never)) .. ARGV[3])
return {'OK', now}
