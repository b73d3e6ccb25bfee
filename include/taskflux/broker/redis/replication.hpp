#pragma once

#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/redis/request.hpp>

#include <charconv>
#include <chrono>
#include <string>
#include <string_view>

namespace taskflux::redis::wire {

/// Has the connection wait until so many replicas have what was done before on it, or `limit` is over.
inline void push_wait(boost::redis::request& to, const std::string& prefix, unsigned replicas,
                      std::chrono::milliseconds limit) {
    // WAIT looks at the last write of its connection (since Redis 7.2). A request that is sent again, on a new
    // connection, may find its work done and write nothing: so something is put into the replication stream.
    to.push("PUBLISH", prefix + ":sync", "");
    to.push("WAIT", replicas, limit.count());
}

/// What came of `push_wait`.
struct replication {
    unsigned replicas = 0;
    std::string error;  ///< of the server, if it may not be asked
};

/// Takes the answers to `push_wait` off the end of a reply.
inline replication take_replication(reply& from) {
    replication out;
    const auto waited = from.take_last();
    const auto published = from.take_last();
    if (published.kind == node_kind::error) {
        out.error = from.bytes(published);
    } else if (waited.kind == node_kind::error) {
        out.error = from.bytes(waited);
    } else {
        const auto text = from.bytes(waited);
        std::from_chars(text.data(), text.data() + text.size(), out.replicas);
    }
    return out;
}

/// Throws `unavailable` unless as many as were wanted have it.
inline void check_replication(const replication& got, unsigned wanted) {
    if (!got.error.empty()) throw_error(got.error);
    if (got.replicas >= wanted) return;
    throw error(errc::unavailable, "Redis: only " + std::to_string(got.replicas) + " of " + std::to_string(wanted) +
                                       " replicas had it in time; the server has it, so it may still take "
                                       "effect: see to the replicas, or lower 'durable'");
}

}  // namespace taskflux::redis::wire
