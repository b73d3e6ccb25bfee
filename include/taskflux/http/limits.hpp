#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace taskflux::http {

/// How much a server takes, and how long it waits. Errors of all functions: `invalid_argument` for zero, a negative time, or less
/// than is named.
class limits {
public:
    limits() {}

    /// The most bytes of the first line; default 8 KiB, at least 64. Beyond: 414.
    limits& request_line(std::size_t bytes) { return request_line_ = least(bytes, 64, "request_line"), *this; }

    /// The most bytes of the first line and all headers; default 16 KiB, at least 256. Beyond: 431.
    limits& head(std::size_t bytes) { return head_ = least(bytes, 256, "head"), *this; }

    /// The most headers; default 100. Beyond: 431.
    limits& header_count(std::size_t count) { return header_count_ = least(count, 1, "header_count"), *this; }

    /// The most bytes of any body, whatever its route says; default 1 GiB. Beyond: 413.
    limits& body(std::uint64_t bytes) { return body_ = bytes, *this; }

    /// Until the first byte of a new connection, and, with TLS, until it is encrypted; default 10 s. Then it is closed.
    limits& first_byte(duration limit) { return first_byte_ = positive(limit, "first_byte"), *this; }

    /// From a request's first byte to the end of its head; default 10 s. Then 408.
    limits& head_time(duration limit) { return head_time_ = positive(limit, "head_time"), *this; }

    /// Between two pieces of a body; default 15 s. Then 408.
    limits& body_pause(duration limit) { return body_pause_ = positive(limit, "body_pause"), *this; }

    /// The least bytes a second of a body, counted after its first 30 s; default 512, 0: any. Then 408.
    limits& body_rate(std::uint64_t bytes) { return body_rate_ = bytes, *this; }

    /// Until a client has taken the next 256 KiB of an answer; default 30 s. Then the connection is closed.
    limits& write_time(duration limit) { return write_time_ = positive(limit, "write_time"), *this; }

    /// How long a connection may stand between two requests; default 60 s.
    limits& idle(duration limit) { return idle_ = positive(limit, "idle"), *this; }

    /// The most connections; default 10,000. Further ones are answered with 503.
    limits& connections(std::size_t count) { return connections_ = least(count, 1, "connections"), *this; }

    /// The most connections of one address; default 1,000.
    limits& connections_per_address(std::size_t count) {
        return per_address_ = least(count, 1, "connections_per_address"), *this;
    }

    /// The most requests that are being answered, long polls among them; default 10,000. Further ones are answered with 503.
    limits& requests(std::size_t count) { return requests_ = least(count, 1, "requests"), *this; }

    std::size_t request_line() const { return request_line_; }
    std::size_t head() const { return head_; }
    std::size_t header_count() const { return header_count_; }
    std::uint64_t body() const { return body_; }
    duration first_byte() const { return first_byte_; }
    duration head_time() const { return head_time_; }
    duration body_pause() const { return body_pause_; }
    std::uint64_t body_rate() const { return body_rate_; }
    duration write_time() const { return write_time_; }
    duration idle() const { return idle_; }
    std::size_t connections() const { return connections_; }
    std::size_t connections_per_address() const { return per_address_; }
    std::size_t requests() const { return requests_; }

private:
    static std::size_t least(std::size_t given, std::size_t smallest, const char* name) {
        if (given >= smallest) return given;
        throw error(errc::invalid_argument, std::string("http::limits: ") + name + " must be at least " + std::to_string(smallest));
    }
    static duration positive(duration given, const char* name) {
        if (given > duration::zero()) return given;
        throw error(errc::invalid_argument, std::string("http::limits: ") + name + " must be longer than 0");
    }

    std::size_t request_line_ = 8 * 1024;
    std::size_t head_ = 16 * 1024;
    std::size_t header_count_ = 100;
    std::uint64_t body_ = 1024ULL * 1024 * 1024;
    duration first_byte_ = std::chrono::seconds(10);
    duration head_time_ = std::chrono::seconds(10);
    duration body_pause_ = std::chrono::seconds(15);
    std::uint64_t body_rate_ = 512;
    duration write_time_ = std::chrono::seconds(30);
    duration idle_ = std::chrono::seconds(60);
    std::size_t connections_ = 10'000;
    std::size_t per_address_ = 1'000;
    std::size_t requests_ = 10'000;
};

}  // namespace taskflux::http
