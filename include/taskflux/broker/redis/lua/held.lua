-- Tells what a consumer holds.
-- in:  KEYS queue HASH, records HASH, states HASH, segments HASH, segment_index ZSET, set_aside HASH, a:… SET
--      ARGV consumer, its process' channel, a sleeper there that is woken when all that was handed to it has come in
-- out: {'OK', number and token of each…}; NEED
-- O(tasks held).
local seqs = held_by(ARGV[1])
if #missing > 0 then return {'NEED', unpack(missing)} end
load(seqs)
local answer = {'OK'}
for _, seq in ipairs(seqs) do
    local task = tasks[seq]
    if is_held_by(task, ARGV[1]) then
        answer[#answer + 1] = seq
        answer[#answer + 1] = task.deliveries
    end
end
call('PUBLISH', ARGV[2], message_letter.look .. text(queue_name()) .. text(ARGV[3]))
return answer
