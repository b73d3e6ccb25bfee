#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/name.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/options.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

/// Whether a type has a name of its own, which tells its faults from others.
template <class T>
inline constexpr bool has_own_name =
    kind_of<T> == kind::object || kind_of<T> == kind::enumeration || kind_of<T> == kind::custom;

/// The most bytes of details: they are kept with a task, and sent with an answer.
inline constexpr std::size_t max_details = 64 * 1024;

template <class T>
failure describe_fault(std::string code, const T& details, std::string message) {
    failure made;
    made.type = payload_name<T>;
    made.code = code.empty() ? made.type : std::move(code);
    if (!is_valid_name(made.code)) {
        throw error(errc::invalid_argument, "not a code of a fault: " + in_quotes(made.code, 200) +
                                                "; use 1 to 128 characters of A-Z a-z 0-9 _ - . /");
    }
    made.details = encode(details);
    if (!is_utf8(made.details)) {
        throw encode_error(errc::bad_payload, {}, "the codec of " + made.type + " made no UTF-8: details are sent as JSON");
    }
    if (made.details.size() > max_details) {
        throw error(errc::too_large, "the details of fault " + made.code + " are not sent: they have " +
                                         std::to_string(made.details.size()) + " bytes, and at most " +
                                         std::to_string(max_details) + " are allowed");
    }
    made.message = message.empty() ? "the handler threw the fault " + made.code : std::move(message);
    return made;
}

}  // namespace detail

/// A fault with details of type `T`, as it is thrown by a handler and caught by its caller:
///
///     catch (const taskflux::fault_of<insufficient_funds>& e) { ask_for(e.details().missing); }
///
/// For a caller it is a `call_failed` or a `task_failed` as well. Thrown where the contract names `T` (`throws`).
template <class T>
class fault_of {
    static_assert(!is_payload<T> || detail::has_own_name<T>,
                  "a fault's details must have a type of their own, whose name tells them apart: a described class or enum");

public:
    /// For the library.
    fault_of(T details, taskflux::failure why) : details_(std::move(details)), failure_(std::move(why)) {}
    virtual ~fault_of() = default;

    const T& details() const { return details_; }

    /// Code and message, and the details as JSON.
    const taskflux::failure& failure() const { return failure_; }

protected:
    fault_of(const fault_of&) = default;
    fault_of& operator=(const fault_of&) = default;

private:
    T details_;
    taskflux::failure failure_;
};

/// Thrown by a handler or a method to fail with details that its caller can read. A retry policy treats it like any other
/// exception. Where it passes through other methods and tasks on its way, their callers get it, too.
template <class T>
class fault : public detail::described_error, public fault_of<T> {
public:
    /// `code`: for programs to compare; default: the type's name. A name of `errc` is the error's `code()` as well. `message`
    /// becomes `what()`. Errors: `invalid_argument` for a code that is no name (see docs/wire-format.md), `too_large` for
    /// details over 64 KiB, `encode_error`.
    explicit fault(T details, std::string message = {}) : fault(std::string(), std::move(details), std::move(message)) {}
    fault(std::string code, T details, std::string message = {})
        : fault(detail::describe_fault(std::move(code), details, std::move(message)), std::move(details)) {}

    using fault_of<T>::failure;

private:
    fault(const taskflux::failure& why, T&& details)
        : described_error(detail::code_of(why), why), fault_of<T>(std::move(details), why) {}
};

/// The details of a failure that is a fault with details of type `T`; nothing where it is another, or where they can't be read.
template <class T>
std::optional<T> fault_in(const failure& why) {
    if (why.details.empty() || why.type != payload_name<T>) return std::nullopt;
    try {
        return decode<T>(why.details);
    } catch (const std::exception&) {  // another version's
        return std::nullopt;
    }
}

namespace detail {

/// What a caller gets: `Failed` is `call_failed` or `task_failed`.
template <class Failed, class T>
class failed_with : public Failed, public fault_of<T> {
public:
    failed_with(const Failed& why, T details) : Failed(why), fault_of<T>(std::move(details), why.Failed::failure()) {}
};

template <class Failed, class T>
void throw_if(const Failed& why) {
    if (auto details = fault_in<T>(why.failure())) throw failed_with<Failed, T>(why, std::move(*details));
}

/// The details that a contract names.
template <class... Ts>
struct named_faults {
    static_assert(!has_duplicate(std::array<std::string_view, sizeof...(Ts)>{payload_name<Ts>...}),
                  "two faults of this contract have the same name, which is all that tells them apart: rename one of them, or "
                  "specialise taskflux::payload_name for it");

    template <class Failed>
    static void raise(const Failed& why) {
        (throw_if<Failed, Ts>(why), ...);
    }
};

}  // namespace detail

/// Names, in a contract, the details of the faults that its handler throws, so that callers catch them by type:
///
///     inline constexpr taskflux::method<receipt(payment)> pay{"bank", "pay", taskflux::throws<insufficient_funds>};
///
/// A fault that is not named reaches its caller as `call_failed` or `task_failed` (see `failure::details`, `fault_in`).
template <class... Ts>
inline constexpr fault_list throws{&detail::named_faults<Ts...>::template raise<call_failed>,
                                   &detail::named_faults<Ts...>::template raise<task_failed>};

}  // namespace taskflux
