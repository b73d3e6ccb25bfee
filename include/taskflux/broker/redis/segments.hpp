#pragma once

#include <taskflux/broker/redis/batch_items.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/layout.hpp>
#include <taskflux/broker/redis/queue_calls.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux::redis {

// Plain tasks of one kind that are submitted together are stored, and mostly handed out, as one value: a segment.
// The layout is in docs/wire-format.md; lua/shared/segment.lua reads the same.

/// What can be said of a record, as `encode_record` makes it, without reading all of it.
class record_head {
public:
    explicit record_head(std::string_view record) : record_(record) {}

    /// Whether a script need not look into it but for name and priority.
    bool is_plain() const {
        if ((flags() & (has_own_id | has_unique_key | has_key | has_parent)) != 0) return false;
        constexpr std::string_view no_deadline_nor_expiry("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
        return (flags() & has_limits) == 0 || record_.substr(limits_at(), limits_layout::retention) == no_deadline_nor_expiry;
    }

    /// Whether a script need not look into it but for that and its key.
    bool is_only_keyed() const { return (flags() & (has_limits | has_own_id | has_unique_key | has_key | has_parent)) == has_key; }

    /// Version, flags and priority, and then name and limits: those that agree in both can share a segment.
    std::string_view kind() const { return record_.substr(0, at(record_layout::nonce)); }
    std::string_view name_and_limits() const {
        return record_.substr(at(record_layout::name_length), rest_at() - at(record_layout::name_length));
    }
    /// The name of the key of its lane.
    std::string lane() const {
        const auto priority = int(static_cast<unsigned char>(record_[at(record_layout::priority)])) - stored_base::priority;
        return named(own_key::lane, std::to_string(priority));
    }
    /// What is the task's own.
    std::string_view rest() const { return record_.substr(rest_at()); }

    double retention() const {
        if ((flags() & has_limits) == 0) return to_number(run_policy().retention);
        return byte_reader(record_.substr(limits_at() + limits_layout::retention)).real();
    }

    bool is_like(const record_head& other) const {
        return kind() == other.kind() && name_and_limits() == other.name_and_limits();
    }

private:
    /// An offset in what a program sends: without the time.
    static constexpr std::size_t at(std::size_t stored) { return stored - stored_size::time; }

    std::uint8_t flags() const { return static_cast<std::uint8_t>(record_[at(record_layout::flags)]); }
    std::size_t limits_at() const {
        return at(record_layout::name) + static_cast<unsigned char>(record_[at(record_layout::name_length)]);
    }
    std::size_t rest_at() const { return limits_at() + ((flags() & has_limits) != 0 ? stored_size::limits : 0U); }

    std::string_view record_;
};

/// Adds the words of `enqueue_plain.lua` for plain tasks.
inline void add_segments(const std::vector<task_item>& tasks, arguments& with) {
    constexpr std::size_t fewest = 4, most = 128;  // fewer cost more memory than single records
    constexpr std::size_t most_bytes = 16 * 1024;  // a piece of it is cut out of the whole
    for (std::size_t at = 0; at < tasks.size();) {
        const record_head first(tasks[at].record);
        std::size_t end = at, bytes = 0;
        for (; end < tasks.size() && end - at < most; ++end) {
            const record_head next(tasks[end].record);
            bytes += next.rest().size();
            if (bytes > most_bytes || !next.is_like(first)) break;
        }
        const auto count = end - at;
        if (count < fewest) {
            with.add(std::string_view(tasks[at].record)).add("");
            ++at;
            continue;
        }
        std::string body(first.kind()), status, tail;
        put(body, static_cast<std::uint16_t>(count));
        put(body, std::uint32_t(0));  // where the first of them begins
        body += first.name_and_limits();
        status.push_back(tasks[at].record[record_layout::flags - stored_size::time]);
        put(status, first.retention());
        tail.reserve(bytes);
        for (; at < end; ++at) {
            const record_head one(tasks[at].record);
            put(status, tasks[at].nonce);
            tail += one.rest();
            put(body, static_cast<std::uint32_t>(tail.size()));
        }
        body += tail;
        with.add(std::move(body)).add(std::move(status));
    }
}

/// Calls `take` with each record of a segment or a piece of one. Throws `errc::protocol`, where the next record that
/// would have been taken is damaged.
template <class Take>
void read_piece(std::string_view piece, std::string_view nonces, record_reader& records, Take take) {
    byte_reader from(piece), keys(nonces);
    record_reader::stored made;
    made.submitted_at = time_point(duration(static_cast<duration::rep>(from.number<std::uint64_t, stored_size::time>())));
    record_reader::check_version(from.number<std::uint8_t>());
    const auto flags = from.number<std::uint8_t>();
    const auto priority = from.number<std::uint8_t>();
    const std::size_t count = from.number<std::uint16_t>();
    auto begin = from.number<std::uint32_t>();
    const auto name = from.text<std::uint8_t>();
    const auto limits = from.take(flags & has_limits ? stored_size::limits : 0);
    byte_reader ends(from.take(stored_size::segment_end * count));
    for (std::size_t i = 0; i < count; ++i) {
        const auto end = ends.number<std::uint32_t>();
        if (end < begin) throw error(errc::protocol, "a stored segment can't be read: the ends of its tasks are not in order");
        byte_reader own(from.take(end - begin));
        begin = end;
        const auto more = flags & has_more ? own.text() : std::string_view();
        made.nonce = keys.number<std::uint32_t>();
        made.payload = own.rest();
        made.spec = records.spec_of(priority, name, limits, more);
        take(made);
    }
}

}  // namespace taskflux::redis
