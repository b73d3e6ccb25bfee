-- Reads a board.
-- in:  KEYS queue HASH, D HASH
--      ARGV none
-- out: {'OK', now in ms, [id, text] of each}; NEED
-- O(rows).
local board = key(own_key.board)
if #missing > 0 then return {'NEED', unpack(missing)} end
local rows, reply = call('HGETALL', board), {'OK', now}
for n = 1, #rows, 2 do
    local text = rows[n + 1]
    local till, from = 0, 1
    if #text >= stored_size.number then till, from = struct.unpack(format.number, text) end
    if till > now then
        reply[#reply + 1] = rows[n]
        reply[#reply + 1] = string.sub(text, from)
    end
end
return reply
