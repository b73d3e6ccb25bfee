-- What is on the board D. {'OK', now, [id, text] of each}
local board = key('D')
if #missing > 0 then return {'NEED', unpack(missing)} end
local rows, reply = call('HGETALL', board), {'OK', now}
for n = 1, #rows, 2 do
    local text = rows[n + 1]
    if #text >= 8 and struct.unpack('<d', text) > now then
        reply[#reply + 1] = rows[n]
        reply[#reply + 1] = string.sub(text, 9)
    end
end
return reply
