#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/access_form.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/limits.hpp>
#include <taskflux/http/response.hpp>
#include <taskflux/http/router.hpp>
#include <taskflux/http/server/drain.hpp>
#include <taskflux/log.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace taskflux::detail {

class http_connection;

/// What all connections of a server share. Thread-safe once the server runs.
class server_common {
public:
    server_common(taskflux::clock& source, http::limits given, log_sink to)
        : clock(source), limits(given), log(std::move(to)), ending(std::make_shared<drain>()) {}

    taskflux::clock& clock;
    const http::limits limits;
    const log_sink log;
    http::router router;                          // filled before the server runs
    http::access_form access = http::access_form::none;
    std::function<void(const http::call&, http::response&)> decorate;  // adds headers to every answer
    std::function<void(http::call&)> locate;                           // finds out who is behind a proxy
    const std::shared_ptr<drain> ending;
    std::shared_ptr<const void> kept;                        // what handlers refer to
    std::vector<std::shared_ptr<const void>> kept_also;

    /// An id for a request that brings none.
    std::string make_id();

    /// The id that a request brings, where it is one that logs can hold; else a new one.
    std::string id_of(const http::request& asked);

    std::atomic<std::size_t> in_flight = 0;

private:
    std::atomic<std::uint64_t> next_id_ = 0;
    const std::string id_prefix_ = new_prefix();

    static std::string new_prefix();
};

/// The connections that are there. Thread-safe.
class connection_set {
public:
    enum class admission { taken, refused, dropped };

    explicit connection_set(const http::limits& limits) : limits_(limits) {}

    /// Whether there is room for one more of this address: `refused` gets an answer that says so, and is closed; beyond a few of
    /// those, `dropped` is closed at once. What is not dropped is counted until `remove`.
    admission admit(const std::string& address);
    void add(std::shared_ptr<http_connection> one);
    void remove(const std::shared_ptr<http_connection>& one, const std::string& address);

    std::size_t size() const;

    /// A copy: connections come and go meanwhile.
    std::vector<std::shared_ptr<http_connection>> all() const;

private:
    const http::limits& limits_;
    mutable std::mutex mutex_;  // guards all below
    std::set<std::shared_ptr<http_connection>> all_;
    std::map<std::string, std::size_t, std::less<>> of_address_;
    std::size_t admitted_ = 0;
};

}  // namespace taskflux::detail
