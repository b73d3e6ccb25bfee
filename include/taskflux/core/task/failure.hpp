#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/failure.hpp>

#include <boost/core/demangle.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>

namespace taskflux::detail {

/// `text` with every byte that is not part of a UTF-8 sequence replaced by U+FFFD, and cut where it gets too
/// long: messages come from anywhere, and are kept as JSON.
inline std::string as_utf8(std::string_view text) {
    constexpr std::size_t max_size = 16 * 1024;
    std::string clean;
    clean.reserve((std::min)(text.size(), max_size));
    while (!text.empty()) {
        const auto sequence = utf8_sequence(text);
        if (clean.size() + (std::max)(sequence, std::size_t(3)) > max_size) return clean += "…";
        clean += sequence > 0 ? text.substr(0, sequence) : std::string_view("\xef\xbf\xbd");
        text.remove_prefix((std::max)(sequence, std::size_t(1)));
    }
    return clean;
}

/// A payload that a handler's contract cannot read, or a result that it cannot write. No retry mends it.
class bad_payload : public described_error {
public:
    /// `what`: what can't be read or written. `schema`: what the payload should have satisfied; empty for a result.
    bad_payload(const payload_error& cause, const std::string& what, std::string schema)
        : described_error(errc::bad_payload,
                          {name_of(cause.code()), boost::core::demangle(typeid(cause).name()),
                           as_utf8(what + ": " + cause.what()), as_utf8(cause.pointer()), std::move(schema)}) {}

    /// The name in `errc` of a code, or "task_failed" for a code of somebody else's.
    static std::string name_of(const boost::system::error_code& code) {
        if (code.category() != taskflux_category()) return "task_failed";
        return boost::describe::enum_to_string(static_cast<errc>(code.value()), "task_failed");
    }
};

/// The type of an exception, whatever it is; empty where the C++ library can't tell (GCC's can).
template <class Pointer>
std::string type_of(const Pointer& thrown) {
    if constexpr (requires { thrown.__cxa_exception_type()->name(); }) {
        return boost::core::demangle(thrown.__cxa_exception_type()->name());
    } else {
        return {};
    }
}

/// What is kept of an exception: its type, its message, for a bad payload where and what was expected, for a fault its details.
inline failure describe(const std::exception_ptr& thrown) {
    const auto plain = [](const std::exception& e, std::string code) {
        auto type = boost::core::demangle(typeid(e).name());
        const char* const what = e.what();
        auto message = what ? as_utf8(what) : "a " + type + " without a message was thrown";
        return failure{std::move(code), std::move(type), std::move(message), "", ""};
    };
    const auto other = [&](std::string_view text) {  // `text`: what it says, if anything
        const auto type = type_of(thrown);
        auto message = type.empty() ? std::string("something that is not a std::exception was thrown")
                                    : "an object of type " + type + " was thrown, which is not a std::exception";
        if (!text.empty()) message = as_utf8(text);
        return failure{"task_failed", type, std::move(message), "", ""};
    };
    try {
        std::rethrow_exception(thrown);
    } catch (const bad_payload& e) {
        return e.failure();
    } catch (const described_error& e) {  // a fault, perhaps of a call that the handler has made
        if (e.failure().details.empty()) return plain(e, bad_payload::name_of(e.code()));
        auto passed_on = e.failure();
        passed_on.message = as_utf8(passed_on.message);
        return passed_on;
    } catch (const boost::system::system_error& e) {
        return plain(e, bad_payload::name_of(e.code()));
    } catch (const std::exception& e) {
        return plain(e, "task_failed");
    } catch (const std::string& text) {
        return other(text);
    } catch (const char* text) {
        return other(text ? text : "");
    } catch (const boost::system::error_code& code) {
        return other(code.message());
    } catch (const std::error_code& code) {
        return other(code.message());
    } catch (...) {
        return other("");
    }
}

/// Reads a stored failure; what is not one is kept as its message.
inline failure read_failure(const std::string& stored) {
    try {
        return decode<failure>(stored);
    } catch (const payload_error&) {
        return {"protocol", "", "not a failure that this version understands: " + in_quotes(stored, 200), "", ""};
    }
}

}  // namespace taskflux::detail
