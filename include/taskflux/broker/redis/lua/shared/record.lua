-- Records: what was submitted. docs/wire-format.md has their layout. `flags % (2 * flag) >= flag` tells whether a flag is
-- set, in less time than a function of `bit`.

local function parse(record)
    local made = {}
    local time, version, flags, priority, nonce, length = struct.unpack(format.record, record)
    local at = record_at.name + length
    made.submitted, made.flags, made.priority, made.nonce = time, flags, priority - stored_base.priority, nonce
    made.name = string.sub(record, record_at.name, at - 1)
    made.deadline, made.expires_in, made.crash_limit = 0, 0, run_policy.crash_limit
    made.retention, made.failed_retention = run_policy.retention, run_policy.failed_retention
    if flags % (2 * record_flag.has_limits) >= record_flag.has_limits then
        made.deadline, made.expires_in, made.retention, made.failed_retention, made.crash_limit, at =
            struct.unpack(format.limits, record, at)
        if not (is_time(made.deadline) and is_time(made.expires_in) and is_time(made.retention) and
            is_time(made.failed_retention)) then
            error('no time')
        end
    end
    made.own_at = at
    if flags % (2 * record_flag.has_own_id) >= record_flag.has_own_id then
        made.own, at = struct.unpack(format.own_id, record, at)
    end
    made.unique_at = at
    if flags % (2 * record_flag.has_unique_key) >= record_flag.has_unique_key then
        made.unique, made.window, at = struct.unpack(format.unique_key, record, at)
        if not is_time(made.window) then error('no time') end
    end
    if flags % (2 * record_flag.has_key) >= record_flag.has_key then made.key, at = struct.unpack(format.key, record, at) end
    made.parent_at = at
    if flags % (2 * record_flag.has_parent) >= record_flag.has_parent then
        made.parent = {}
        made.parent.queue, made.parent.seq, made.parent.nonce, made.parent.key, at =
            struct.unpack(format.parent, record, at)
        if not whole(made.parent.seq) then error('no number') end
    end
    made.more_at = at
    if flags % (2 * record_flag.has_more) >= record_flag.has_more then
        local rest
        rest, at = struct.unpack(format.u32, record, at)
        at = at + rest
    end
    made.payload_at = at
    return made
end

-- Nil, or why a record can't be used.
local function fault_in(record)
    if #record < record_at.name then return 'its record is too short' end
    local version = string.byte(record, record_at.version)
    if version ~= stored_version.record and version ~= stored_version.keyed_record then
        return 'its record has version ' .. version
    end
    if #record < record_at.name - 1 + string.byte(record, record_at.name_length) then return 'its record is too short' end
    if string.byte(record, record_at.flags) > 0 and not pcall(parse, record) then return 'its record is damaged' end
end

-- Whether a record with these flags is more than a plain one: with limits, own id, unique key, key or parent.
local function is_special(flags) return bit.band(flags, record_flags.special) ~= 0 end

-- The name of the task in a whole record.
local function name_in(record)
    return string.sub(record, record_at.name, record_at.name - 1 + string.byte(record, record_at.name_length))
end
