-- What a consumer holds. consumer. {'OK', seqs…}
local seqs = held_by(ARGV[1])
if #missing > 0 then return {'NEED', unpack(missing)} end
return {'OK', unpack(seqs)}
