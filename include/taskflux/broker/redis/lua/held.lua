-- Tells what a consumer holds.
-- in:  KEYS queue HASH, segments HASH, set_aside HASH, a:… SET
--      ARGV consumer, its process' channel, a sleeper there that is woken when all that was handed to it has come in
-- out: {'OK', numbers…}; NEED
-- O(tasks held).
local seqs = held_by(ARGV[1])
if #missing > 0 then return {'NEED', unpack(missing)} end
call('PUBLISH', ARGV[2], message_letter.look .. text(queue_name()) .. text(ARGV[3]))
return {'OK', unpack(seqs)}
