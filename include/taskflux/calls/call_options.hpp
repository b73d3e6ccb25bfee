#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace taskflux {

/// Options of one call; see `rpc`.
class call_options {
public:
    call_options() {}

    /// How long the caller waits for the result, or for the last value of a stream; default 30 s. After it the method is not
    /// started, and is cancelled if it runs. Errors: `invalid_argument` unless positive.
    call_options& timeout(duration limit) {
        if (limit <= duration::zero()) {
            throw error(errc::invalid_argument,
                        "call_options: timeout must be positive: use a millisecond or more");
        }
        return timeout_ = limit, *this;
    }

    /// Whether the method may run twice; default false. If so, another instance is called, in what is left of the timeout,
    /// when the instance that had the call is lost, or the connection while the call was sent; otherwise such a call ends
    /// with `unavailable`. Calls that return a stream and `notify` are never repeated.
    call_options& idempotent(bool is = true) { return idempotent_ = is, *this; }

    /// Calls the instance with this id and no other; default, or empty: any. Errors: `invalid_argument` for what is no id.
    call_options& to(std::string instance) {
        if (!instance.empty()) detail::checked_name(instance, "instance id");
        return to_ = std::move(instance), *this;
    }

    /// Adds a header, which the method finds in `call_context::headers`.
    call_options& header(std::string name, std::string value) {
        headers_[std::move(name)] = std::move(value);
        return *this;
    }
    call_options& headers(header_map all) { return headers_ = std::move(all), *this; }

    /// How many values of a stream the caller buffers, and so how far its source may be ahead; 1 to 65536, default 64.
    call_options& window(std::size_t values) {
        if (values == 0 || values > max_window) {
            throw error(errc::invalid_argument, "call_options: a window of " + std::to_string(values) +
                                                    " values is out of range: use 1 to " + std::to_string(max_window));
        }
        return window_ = values, *this;
    }

    duration timeout() const { return timeout_; }
    bool is_idempotent() const { return idempotent_; }
    const std::string& to() const { return to_; }
    const header_map& headers() const { return headers_; }
    std::size_t window() const { return window_; }

private:
    static constexpr std::size_t max_window = 65'536;

    duration timeout_ = std::chrono::seconds(30);
    bool idempotent_ = false;
    std::string to_;
    header_map headers_;
    std::size_t window_ = 64;
};

}  // namespace taskflux
