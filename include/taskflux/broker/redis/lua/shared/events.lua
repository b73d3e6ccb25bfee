-- Events: what this call brings about, for those who want to hear of it. One entry of a stream a call, with numbers of tasks,
-- and nothing while nobody wants it. docs/wire-format.md has its form.

-- The field `events` of the queue: until when (16 digits), how many entries are kept, for how long (0: any). Nil: not read;
-- false: none, or nobody wants to hear any more.
local listens = nil
-- What happened: first by kind, attempt, name and who, then in its order; with numbers or spans of them. Nil: nothing.
local told = nil

-- Whether somebody wants to hear of what happens.
local function wants(stated)
    return stated and string.find(stated, '^%d+ %d+ %d+$') and
               string.sub(stated, 1, bound.events_till) > string.format('%016d', now)
end

-- The same of this queue: nothing is collected before that is known, which is read once.
local function is_heard()
    if listens == nil then listens = call('HGET', keys.queue, 'events') end
    if not told and not wants(listens) then listens = false end
    return listens
end

-- The stream is declared only by who has been asked to: a queue without readers has no use for it.
local function declare_events()
    if told then key(own_key.events) end
end

-- Only where somebody wants to hear of it. `name`: '' where it is not known. `last`: of all tasks up to that number. Of the
-- queue where there is no number.
local function tell(kind, first, attempt, name, by, last)
    local head = string.format('%d ', attempt) .. name .. ' '
    told = told or {}
    local of = told[kind .. head .. by]
    if not of then
        of = {kind = kind, head = head, by = by, seqs = {}, spans = {}}
        told[kind .. head .. by] = of
        told[#told + 1] = of
    end
    if last then of.spans[#of.spans + 1] = string.format('%d-%d', first, last) else of.seqs[#of.seqs + 1] = first end
end

-- Nobody listens any more: ends are quick again, and what was told stays for a while, for who comes back. `stated`: the field.
local function stop_events(stated)
    also[#also + 1] = {'HDEL', keys.waiters, waiter_field.events}
    if now < (whole(string.match(stated, '^(%d+) ')) or 0) + bound.events_stay_ms then return end
    also[#also + 1] = {'HDEL', keys.queue, 'events', 'events_lease'}
    local stream = key(own_key.events)
    if type(redis.pcall('XLEN', stream)) == 'number' then also[#also + 1] = {'UNLINK', stream} end
end

-- Written last, and by `pcall`: what is wrong with the stream is nobody's trouble but its readers'.
local function write_events()
    if not told then return end
    local most, age = string.match(listens, '^%d+ (%d+) (%d+)$')
    local number = redis.pcall('HINCRBY', keys.queue, 'events_n', 1)
    if type(number) ~= 'number' then
        number = 1
        call('HSET', keys.queue, 'events_n', 1)
    end
    local words = {'#', string.format('%d', number)}
    for _, of in ipairs(told) do
        local seqs, from = of.seqs, 1
        table.sort(seqs)
        for n = 1, #seqs do
            if seqs[n + 1] ~= seqs[n] + 1 then
                of.spans[#of.spans + 1] = string.format(from == n and '%d' or '%d-%d', seqs[from], seqs[n])
                from = n + 1
            end
        end
        words[#words + 1] = of.kind
        words[#words + 1] = of.head .. (#of.spans > 0 and table.concat(of.spans, ',') or '-') .. ' ' .. of.by
    end
    redis.pcall('XADD', key(own_key.events), 'MAXLEN', '~', most, '*', unpack(words))
    if age ~= '0' and number % bound.events_trimmed == 0 then
        redis.pcall('XTRIM', key(own_key.events), 'MINID', '~', string.format('%d', math.max(0, now - age)))
    end
end
