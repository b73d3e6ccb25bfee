#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/layout.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/task.hpp>

#include <boost/describe/class.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

// The layout of records and states is in docs/wire-format.md; lua/shared/record.lua and state.lua read and write the same.

/// A time or duration as a script has it; what is longer than that counts as for ever.
inline double to_number(duration value) { return (std::min)(static_cast<double>(value.count()), stored_time::never); }
inline double to_number(time_point value) { return to_number(value.time_since_epoch()); }
/// Throw `errc::protocol`: see `to_whole`.
inline duration to_duration(double value) {
    const duration whole(to_whole(value));
    return value < stored_time::never ? whole : (duration::max)();
}
inline time_point to_time(double value) {
    const auto since_1970 = to_duration(value);
    return since_1970 < (duration::max)() ? time_point(since_1970) : never;
}

/// What a script has no use for.
struct more_of_spec {
    std::optional<retry_rule> retry;
    duration timeout{};
    header_map headers;
};
BOOST_DESCRIBE_STRUCT(more_of_spec, (), (retry, timeout, headers))

/// A task as it is sent to be stored: the server puts the time in front.
inline std::string encode_record(const new_task& task, std::uint32_t nonce) {
    const auto& spec = *task.spec;
    const auto& policy = spec.policy;
    const run_policy usual;
    more_of_spec more;
    if (policy.retry != usual.retry) more.retry = rule_of(policy.retry);
    more.timeout = policy.timeout;
    more.headers = spec.headers;
    const bool limits = policy.deadline != usual.deadline || policy.expires_in != usual.expires_in ||
                        policy.retention != usual.retention || policy.failed_retention != usual.failed_retention ||
                        policy.crash_limit != usual.crash_limit;
    const bool rest = more.retry || more.timeout != duration::zero() || !more.headers.empty();
    std::string out;
    out.reserve(16 + spec.name.size() + task.payload.size() + (limits ? stored_size::limits : 0));
    put(out, task.key.empty() ? stored_version::record : stored_version::keyed_record);  // older programs would read past the key
    put(out, static_cast<std::uint8_t>((limits ? has_limits : 0) | (task.own_id.empty() ? 0 : has_own_id) |
                                       (task.unique_key.empty() ? 0 : has_unique_key) | (rest ? has_more : 0) |
                                       (task.parent ? has_parent : 0) | (task.key.empty() ? 0 : has_key)));
    put(out, static_cast<std::uint8_t>(spec.priority + stored_base::priority));
    put(out, nonce);
    put_text<std::uint8_t>(out, spec.name);
    if (limits) {
        put(out, to_number(policy.deadline));
        put(out, to_number(policy.expires_in));
        put(out, to_number(policy.retention));
        put(out, to_number(policy.failed_retention));
        put(out, std::uint32_t(policy.crash_limit));
    }
    if (!task.own_id.empty()) put_text<std::uint16_t>(out, task.own_id);
    if (!task.unique_key.empty()) {
        put_text<std::uint16_t>(out, task.unique_key);
        put(out, to_number(task.unique_window));
    }
    if (!task.key.empty()) put_text<std::uint16_t>(out, task.key);
    if (task.parent) {
        put_text<std::uint8_t>(out, task.parent->id.queue);
        put(out, static_cast<double>(task.parent->id.key.sequence));
        put(out, task.parent->id.key.nonce);
        put_text<std::uint16_t>(out, task.parent->key);
    }
    if (rest) put_text(out, encode(more));
    return out += task.payload;
}

/// Reads stored records. Tasks of one kind in a row share one specification.
class record_reader {
public:
    struct stored {
        time_point submitted_at{};
        std::uint32_t nonce = 0;
        std::shared_ptr<const task_spec> spec;
        std::string_view own_id, key;
        std::optional<task_id> parent;
        std::string_view call;  ///< the key in its journal
        std::string_view payload;
    };

    /// Views point into `record`. Throws `errc::protocol` for what this version does not understand.
    stored read(std::string_view record) {
        byte_reader from(record);
        stored made;
        made.submitted_at = time_point(duration(static_cast<duration::rep>(from.number<std::uint64_t, stored_size::time>())));
        check_version(from.number<std::uint8_t>());
        const auto flags = from.number<std::uint8_t>();
        const auto priority = from.number<std::uint8_t>();
        made.nonce = from.number<std::uint32_t>();
        const auto name = from.text<std::uint8_t>();
        const auto limits = from.take(flags & has_limits ? stored_size::limits : 0);
        if (flags & has_own_id) made.own_id = from.text<std::uint16_t>();
        if (flags & has_unique_key) {
            from.text<std::uint16_t>();
            from.real();
        }
        if (flags & has_key) made.key = from.text<std::uint16_t>();
        if (flags & has_parent) {
            auto& parent = made.parent.emplace();
            parent.queue = from.text<std::uint8_t>();
            parent.key.sequence = static_cast<std::uint64_t>(from.whole());
            parent.key.nonce = from.number<std::uint32_t>();
            made.call = from.text<std::uint16_t>();
        }
        const auto more = flags & has_more ? from.text() : std::string_view();
        made.payload = from.rest();
        made.spec = spec_of(priority, name, limits, more);
        return made;
    }

    static void check_version(std::uint8_t version) {
        if (version == stored_version::record || version == stored_version::keyed_record) return;
        throw error(errc::protocol, "a stored record can't be read: its version is " + std::to_string(version) +
                                        ", this program knows " + std::to_string(stored_version::keyed_record) +
                                        "; start a version of the program that wrote it");
    }

    std::shared_ptr<const task_spec> spec_of(std::uint8_t priority, std::string_view name, std::string_view limits,
                                             std::string_view more) {
        key_.clear();
        put(key_, priority);
        put_text<std::uint8_t>(key_, name);
        put_text<std::uint8_t>(key_, limits);
        key_ += more;
        if (last_ && key_ == last_key_) return last_;
        auto spec = std::make_shared<task_spec>();
        spec->name = name;
        spec->priority = int(priority) - stored_base::priority;
        if (!limits.empty()) {
            byte_reader from(limits);
            spec->policy.deadline = to_duration(from.real());
            spec->policy.expires_in = to_duration(from.real());
            spec->policy.retention = to_duration(from.real());
            spec->policy.failed_retention = to_duration(from.real());
            spec->policy.crash_limit = from.number<std::uint32_t>();
        }
        if (!more.empty()) {
            auto decoded = decode<more_of_spec>(more);
            if (decoded.retry) spec->policy.retry = policy_of(*decoded.retry);
            spec->policy.timeout = decoded.timeout;
            spec->headers = std::move(decoded.headers);
        }
        last_key_ = key_;
        return last_ = std::move(spec);
    }

private:
    std::string key_, last_key_;
    std::shared_ptr<const task_spec> last_;
};

/// What has happened to a task.
struct task_status {
    task_state state = task_state::waiting;
    bool cancel_requested = false;
    bool unclaimed = false;
    std::uint32_t deliveries = 0, failed_attempts = 0, crashes = 0;
    time_point when{}, first_started_at{}, started_at{}, limits_from{};
    std::string_view holder, error, result;

    unsigned attempts() const { return failed_attempts + (has_unfailed_attempt(state) ? 1 : 0); }
};

/// Views point into `text`. Throws `errc::protocol`.
inline task_status read_status(std::string_view text) {
    byte_reader from(text);
    task_status made;
    const auto first = from.number<std::uint8_t>();
    const auto version = first / stored_base::state_version, state = first % stored_base::state_version;
    if (version != stored_version::state) {
        throw error(errc::protocol, "a stored task can't be read: its state has version " + std::to_string(version) +
                                        ", this program knows " + std::to_string(stored_version::state) +
                                        "; start a version of the program that wrote it");
    }
    if (state >= int(task_state_count)) {
        throw error(errc::protocol, "a stored task can't be read: it is in the unknown state " + std::to_string(state));
    }
    made.state = static_cast<task_state>(state);
    const auto bits = from.number<std::uint8_t>();
    made.cancel_requested = (bits & state_bit::cancel_requested) != 0;
    made.unclaimed = (bits & state_bit::unclaimed) != 0;
    from.number<std::uint32_t>();  // the nonce, which the record has too
    made.deliveries = from.number<std::uint32_t>();
    made.failed_attempts = from.number<std::uint32_t>();
    made.crashes = from.number<std::uint32_t>();
    made.when = to_time(from.real());
    made.first_started_at = to_time(from.real());
    made.started_at = to_time(from.real());
    made.limits_from = to_time(from.real());
    from.real();  // when it will be forgotten
    const auto holder = from.number<std::uint16_t>();
    made.holder = from.take(holder);
    made.error = from.text();
    made.result = from.rest();
    return made;
}

/// When a task is given up: of a delivery, the end of its overall deadline.
inline time_point deadline_of(const record_reader::stored& record, const task_status& status) {
    const auto deadline = record.spec->policy.deadline;
    if (deadline == duration::zero()) return never;
    return later(status.limits_from > time_point{} ? status.limits_from : record.submitted_at, deadline);
}

/// When a task is given up unless it has started (or, after a first try, ended) by then.
inline time_point limit_of(const record_reader::stored& record, const task_status& status) {
    const auto deadline = deadline_of(record, status);
    const auto expires_in = record.spec->policy.expires_in;
    if (expires_in == duration::zero() || status.first_started_at > time_point{}) return deadline;
    return (std::min)(deadline, later(status.limits_from > time_point{} ? status.limits_from : record.submitted_at, expires_in));
}

/// The end of an attempt, for `settle.lua`.
inline std::string ending_of(const settlement& end) {
    std::string out;
    out.reserve(ending_layout::data + end.data.size());
    put(out, static_cast<std::uint8_t>(end.how));
    put(out, static_cast<std::uint8_t>(end.counts));
    put(out, static_cast<double>(end.key.sequence));
    put(out, end.key.nonce);
    put(out, static_cast<std::uint32_t>(end.token));
    put(out, to_number((std::max)(end.delay, duration::zero())));
    put_text(out, end.data);
    return out;
}

/// An outcome as `wait.lua` and messages give it.
inline task_outcome read_outcome(byte_reader& from) {
    task_outcome made;
    const auto state = from.number<std::uint8_t>();
    if (state >= task_state_count) {
        throw error(errc::protocol, "a task's end can't be read: it is in the unknown state " + std::to_string(state));
    }
    made.state = static_cast<task_state>(state);
    made.attempts = from.number<std::uint32_t>();
    made.result = from.text();
    made.error = from.text();
    return made;
}

/// Lines of a task's log as they are sent: JSON without line breaks each. Where they are from the script says.
inline std::string lines_of(std::vector<log_line> log) {
    std::string out;
    for (auto& line : log) {
        if (!out.empty()) out.push_back('\n');
        line.from.reset();
        encode(line, out);
    }
    return out;
}

/// Nothing where it is damaged.
inline std::optional<log_line> read_line(std::string_view text) {
    try {
        return decode<log_line>(text);
    } catch (const payload_error&) {
        return std::nullopt;
    }
}

inline std::vector<log_line> read_lines(std::string_view text) {
    std::vector<log_line> log;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        if (auto line = read_line(text.substr(0, end))) log.push_back(std::move(*line));
        text.remove_prefix(end + 1);
    }
    return log;
}

/// Everything about a task, as `get.lua` and `list.lua` give it.
inline task_record full_record(const std::string& queue, std::uint64_t sequence, const record_reader::stored& record,
                               const task_status& status, std::string_view progress, std::string_view log) {
    task_record made;
    made.id = {queue, {sequence, record.nonce}};
    made.own_id = record.own_id;
    made.name = record.spec->name;
    made.key = record.key;
    made.state = status.state;
    made.priority = record.spec->priority;
    made.headers = record.spec->headers;
    if (record.parent) {
        made.parent = to_string(*record.parent);
        made.call = record.call.substr((std::min)(record.call.size(), std::size_t(1)));
    }
    made.payload = record.payload;
    made.result = status.result;
    made.error = status.error;
    made.progress = progress;
    made.log = read_lines(log);
    made.attempts = status.attempts();
    made.deliveries = status.deliveries;
    made.crashes = status.crashes;
    if (status.state == task_state::running) made.consumer = status.holder;  // it is kept for the task's history
    made.cancel_requested = status.cancel_requested;
    made.unclaimed = status.unclaimed;
    made.submitted_at = record.submitted_at;
    if (status.state == task_state::scheduled || status.state == task_state::held) made.due_at = status.when;
    made.started_at = status.started_at;
    if (is_terminal(status.state)) made.ended_at = status.when;
    else if (const auto limit = limit_of(record, status); limit != never) made.limit_at = limit;
    return made;
}

}  // namespace taskflux::redis
