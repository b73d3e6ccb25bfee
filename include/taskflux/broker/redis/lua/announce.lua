-- Puts a text on the board D for a while, or takes it off. id, milliseconds ('': off), text. {'OK', now}
local board = key('D')
if #missing > 0 then return {'NEED', unpack(missing)} end
if ARGV[2] == '' then
    call('HDEL', board, ARGV[1])
    return {'OK', now}
end
local gone = {}
if call('HEXISTS', board, ARGV[1]) == 0 then  -- somebody new: those that have gone make room
    local rows = call('HGETALL', board)
    for n = 1, #rows, 2 do
        if #rows[n + 1] < 8 or struct.unpack('<d', rows[n + 1]) <= now then gone[#gone + 1] = rows[n] end
    end
end
write('HDEL', board, gone)
call('HSET', board, ARGV[1], struct.pack('<d', math.min(now + ARGV[2], forever)) .. ARGV[3])
return {'OK', now}
