#pragma once

#include <taskflux/core/codec/path.hpp>
#include <taskflux/core/error.hpp>

#include <string>
#include <utility>

namespace taskflux {

/// A payload that cannot be read or written. `code()` is `errc::bad_payload` or `errc::too_large`;
/// `what()` reads like `at /points/3/x: expected number, got string "abc"`, after what could not be read where that is known.
class payload_error : public error {
public:
    /// @param pointer JSON pointer (RFC 6901) of the place; empty for the top level.
    /// @param what what can't be read or written, such as "the payload of task area can't be read".
    payload_error(errc code, std::string pointer, std::string reason, const std::string& what = {})
        : error(code, (what.empty() ? what : what + ": ") +
                          (pointer.empty() ? "at the top level: " : "at " + pointer + ": ") + reason),
          pointer_(std::move(pointer)),
          reason_(std::move(reason)) {}

    /// JSON pointer (RFC 6901) of the place that is wrong; empty for the top level.
    const std::string& pointer() const { return pointer_; }

    /// What is wrong there, without the place.
    const std::string& reason() const { return reason_; }

private:
    std::string pointer_;
    std::string reason_;
};

/// A text that is not JSON, not of the shape that its type asks for, or over a limit.
class decode_error : public payload_error {
public:
    using payload_error::payload_error;
};

/// A value that JSON cannot hold (a NaN, a string that is not UTF-8, …), or one over a limit.
class encode_error : public payload_error {
public:
    using payload_error::payload_error;
};

namespace detail {

[[noreturn]] inline void fail_decode(const path& at, std::string reason) {
    throw decode_error(errc::bad_payload, at.pointer(), std::move(reason));
}

[[noreturn]] inline void fail_encode(const path& at, std::string reason) {
    throw encode_error(errc::bad_payload, at.pointer(), std::move(reason));
}

}  // namespace detail
}  // namespace taskflux
