#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/fwd.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskflux {

/// A contract for calls: the name of a service, of one of its methods, and the types of payload and result; no behaviour.
/// Callers and services share it in a header:
///
///     inline constexpr taskflux::method<int(add_args)> add{"calculator", "add"};
///
/// `Signature` is `R(P)` or `R()`; `R` may be void, or `stream<T>` for a method that emits values. A wrong name fails to
/// compile.
template <class Signature>
class method {
    static_assert(!std::is_same_v<Signature, Signature>,
                  "a method's signature is Result(Payload) or Result(): put several parameters into one described struct");

public:
    constexpr method(std::string_view, std::string_view, fault_list = fault_list()) {}  // so that one error is all
};

namespace detail {

constexpr std::string_view checked_service(std::string_view name) {
    if (name.size() > 100) {
        throw error(errc::invalid_argument, "the service name " + in_quotes(name, 100) + " is too long: use at "
                                            "most 100 characters");
    }
    return checked_name(name, "service");
}

template <class Result, class Payload>
class method_contract {
public:
    using result_type = Result;
    using payload_type = Payload;

    /// `faults`: see `throws`.
    constexpr method_contract(std::string_view service, std::string_view name, fault_list faults = fault_list())
        : service_(checked_service(service)), name_(checked_name(name, "method")), faults_(faults) {}

    constexpr std::string_view service() const { return service_; }
    constexpr std::string_view name() const { return name_; }
    constexpr fault_list faults() const { return faults_; }

    /// For the library: how errors name it.
    std::string subject() const { return "method " + std::string(service_) + '.' + std::string(name_); }

private:
    std::string_view service_;
    std::string_view name_;
    fault_list faults_;
};

/// Of a method that emits values, and returns nothing.
template <class T, class P>
class stream_method_contract : public method_contract<void, P> {
public:
    using method_contract<void, P>::method_contract;
};

}  // namespace detail

template <class R, class P>
class method<R(P)> : public detail::method_contract<R, P> {
public:
    using detail::method_contract<R, P>::method_contract;
};

template <class R>
class method<R()> : public detail::method_contract<R, void> {
public:
    using detail::method_contract<R, void>::method_contract;
};

template <class T, class P>
class method<stream<T>(P)> : public detail::stream_method_contract<T, P> {
public:
    using detail::stream_method_contract<T, P>::stream_method_contract;
};

template <class T>
class method<stream<T>()> : public detail::stream_method_contract<T, void> {
public:
    using detail::stream_method_contract<T, void>::stream_method_contract;
};

}  // namespace taskflux
