-- Producers: a batch that is sent again, as its answer got lost, is not carried out again.

-- The answer in what is kept for a producer, if it is that to this batch.
local function answer_in(kept, batch)
    if #kept < stored_size.number then return nil end  -- damaged: as if there were none
    local of, at = struct.unpack(format.number, kept)
    if of ~= batch then return nil end
    local is_whole, answer = pcall(cmsgpack.unpack, string.sub(kept, at))
    return is_whole and answer or nil
end

-- The answer to a producer's batch if that has been carried out already.
local function answered(producer, batch)
    local before = producer and call('GET', producer)
    return before and answer_in(before, batch) or nil
end

local function remember_answer(producer, batch, reply)
    if producer then
        also[#also + 1] = {'SET', producer, struct.pack(format.number, batch) .. cmsgpack.pack(reply), 'PX', bound.answer_ms}
    end
end
