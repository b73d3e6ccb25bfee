-- What a consumer holds. consumer, its process' channel, a sleeper there that will be woken when all that has been
-- handed to it so far has come in. {'OK', seqs…}
local seqs = held_by(ARGV[1])
if #missing > 0 then return {'NEED', unpack(missing)} end
call('PUBLISH', ARGV[2], 'W' .. text(queue) .. text(ARGV[3]))
return {'OK', unpack(seqs)}
