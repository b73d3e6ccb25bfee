#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
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
    /// when the instance that had the call is lost, or stops and cuts it off, or the connection is lost while the call is sent;
    /// after a lost connection the same instance where there is no other. Where none is left, and without `idempotent`, such a
    /// call ends with `unavailable`. Calls that return a stream and `notify` are never repeated.
    call_options& idempotent(bool is = true) { return idempotent_ = is, *this; }

    /// Calls the instance with this id and no other; empty, the default: any. Errors: `invalid_argument` for what can't be one.
    call_options& to(std::string instance) {
        detail::check_name(detail::limits::instance, instance, true);
        return to_ = std::move(instance), *this;
    }

    /// A header, which the method finds in `call_context::headers`; a later value for the same name wins. Up to 256 bytes of
    /// UTF-8 with a value of up to 65,536. Errors: `invalid_argument`.
    call_options& header(std::string name, std::string value) {
        detail::check_header(name, value);
        return headers_[std::move(name)] = std::move(value), *this;
    }

    /// All headers, in the place of those given before. Errors: as of `header`.
    call_options& headers(header_map all) {
        for (const auto& [name, value] : all) detail::check_header(name, value);
        return headers_ = std::move(all), *this;
    }

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
