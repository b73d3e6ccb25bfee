-- A queue that starts nothing for a while, since a handler was told to wait by whom it has asked. Until when is in the field
-- `throttled`; and in `paused`, behind a '!' and in front of the limit, so that every start sees it. Programs that don't know
-- that take it for a pause.

-- When a throttle ends; nil where that is past. Further ahead than any can be: the clock went back, or it is damaged.
local function throttle_end(stated)
    local till = whole(stated)
    return till and till > now and till <= now + throttle_bounds.most_ms and till or nil
end

-- `stated`, '=' and a limit or '', behind a throttle; nil where nothing is left.
local function behind_throttle(till, stated)
    if till then stated = string.format('!%d', till) .. stated end
    return stated ~= '' and stated or nil
end
