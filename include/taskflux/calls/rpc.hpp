#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/call_observer.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/calls/stream.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/core/fault.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/payload.hpp>
#include <taskflux/detail/required.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux {

/// The reply of one instance to a broadcast.
template <class R>
struct instance_reply {
    std::string instance;
    std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> value;  ///< when the method has returned
    std::exception_ptr error;                                                       ///< when it has failed
};

namespace detail {

class rpc_core;

/// A reply before it is decoded.
struct raw_reply {
    std::string instance;
    std::string payload;
    std::exception_ptr error;
};

/// A call to make.
struct call_request {
    std::string service;
    std::string method;
    std::string payload;
    call_options options;
    fault_list faults;

    /// How errors name it.
    std::string name() const { return service + '.' + method; }
};

template <class... Args>
inline constexpr bool starts_with_call_options = false;
template <class First, class... Rest>
inline constexpr bool starts_with_call_options<First, Rest...> = std::same_as<std::remove_cvref_t<First>, call_options>;

std::shared_ptr<rpc_core> make_rpc_core(broker_ptr broker, std::shared_ptr<call_observer> observer);
asio::awaitable<std::string> call_one(std::shared_ptr<rpc_core> core, call_request what);
asio::awaitable<reading> open_stream(std::shared_ptr<rpc_core> core, call_request what);
asio::awaitable<void> notify_one(std::shared_ptr<rpc_core> core, call_request what);
asio::awaitable<std::vector<raw_reply>> call_all(std::shared_ptr<rpc_core> core, call_request what);

}  // namespace detail

/// Calls methods of services in other processes. A value that shares its state; copies and calls from several threads are
/// safe. Make one for a program: it knows the instances and how busy they are.
///
/// A call goes to one live instance, the less busy of two taken at random, and runs at most once unless it is `idempotent`;
/// nothing of it is stored. If the chosen instance is gone before it took the call, another one is called. Errors:
/// `no_instance` at once when there is none; `timed_out`; `busy` from an instance that has its limit of calls in flight;
/// `unavailable` when the instance that has taken the call is lost or has stopped, or the server is lost; `not_found` for a
/// method that the service does not have; `call_failed` with what the method threw, as a `fault_of` where it is a fault that
/// the contract names. A call that is cancelled or times out is cancelled in the instance, too.
class rpc {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// `observer`: is told of each call; null: nobody is.
    explicit rpc(broker_ptr broker, std::shared_ptr<call_observer> observer = nullptr)
        : core_(detail::make_rpc_core(std::move(broker), std::move(observer))) {}

    /// Calls a method and waits for its result. A payload is given as one value of the contract's type or as its fields.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_call_options<Args...>)
    awaitable<R> call(const detail::method_contract<R, P>& method, Args&&... payload) const {
        return call(method, call_options(), std::forward<Args>(payload)...);
    }
    template <class R, class P, class... Args>
    awaitable<R> call(const detail::method_contract<R, P>& method, const call_options& options, Args&&... payload) const {
        return read<R>(detail::call_one(core(), request(method, options, std::forward<Args>(payload)...)), method.subject());
    }

    /// Calls a method that emits values. Returns when an instance has taken the call; the stream throws errors that come
    /// later. The timeout is for the whole stream.
    template <class T, class P, class... Args>
        requires(!detail::starts_with_call_options<Args...>)
    awaitable<stream<T>> call(const detail::stream_method_contract<T, P>& method, Args&&... payload) const {
        return call(method, call_options(), std::forward<Args>(payload)...);
    }
    template <class T, class P, class... Args>
    awaitable<stream<T>> call(const detail::stream_method_contract<T, P>& method, const call_options& options,
                              Args&&... payload) const {
        return read_stream<T>(detail::open_stream(core(), request(method, options, std::forward<Args>(payload)...)),
                              method.subject());
    }

    /// Calls a method by its names with a JSON payload, and returns the result as JSON: for gateways.
    awaitable<std::string> call_json(std::string service, std::string method, std::string payload,
                                     call_options options = call_options()) const;

    /// Sends a call whose result nobody waits for. Returns when an instance has received it; an instance that has its limit
    /// of calls in flight drops it.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_call_options<Args...>)
    awaitable<void> notify(const detail::method_contract<R, P>& method, Args&&... payload) const {
        return notify(method, call_options(), std::forward<Args>(payload)...);
    }
    template <class R, class P, class... Args>
    awaitable<void> notify(const detail::method_contract<R, P>& method, const call_options& options, Args&&... payload) const {
        return detail::notify_one(core(), request(method, options, std::forward<Args>(payload)...));
    }

    /// Calls all instances of the service and waits for all their replies; an empty list when there is none.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_call_options<Args...>)
    awaitable<std::vector<instance_reply<R>>> broadcast(const detail::method_contract<R, P>& method, Args&&... payload) const {
        return broadcast(method, call_options(), std::forward<Args>(payload)...);
    }
    template <class R, class P, class... Args>
    awaitable<std::vector<instance_reply<R>>> broadcast(const detail::method_contract<R, P>& method,
                                                        const call_options& options, Args&&... payload) const {
        return read_all<R>(detail::call_all(core(), request(method, options, std::forward<Args>(payload)...)), method.subject());
    }

private:
    const std::shared_ptr<detail::rpc_core>& core() const { return detail::required(core_, "rpc"); }

    template <class R, class P, class... Args>
    static detail::call_request request(const detail::method_contract<R, P>& method, const call_options& options,
                                        Args&&... payload) {
        detail::call_request made;
        made.service = method.service();
        made.method = method.name();
        made.payload = detail::encode_payload<P>(method, std::forward<Args>(payload)...);
        made.options = options;
        made.faults = method.faults();
        return made;
    }

    template <class R>
    static awaitable<R> read(awaitable<std::string> call, std::string of) {
        const auto answer = co_await std::move(call);
        [[maybe_unused]] const auto subject = [&] { return "the result of " + of; };
        if constexpr (!std::is_void_v<R>) co_return detail::decode_of<R>(subject, answer);
    }

    template <class T>
    static awaitable<stream<T>> read_stream(awaitable<detail::reading> call, std::string of) {
        auto from = co_await std::move(call);
        co_return stream<T>(std::move(from), std::move(of));
    }

    template <class R>
    static awaitable<std::vector<instance_reply<R>>> read_all(awaitable<std::vector<detail::raw_reply>> calls,
                                                             std::string of) {
        auto answers = co_await std::move(calls);
        std::vector<instance_reply<R>> all;
        for (auto& one : answers) {
            auto& made = all.emplace_back();
            made.instance = std::move(one.instance);
            made.error = std::move(one.error);
            if (made.error) continue;
            [[maybe_unused]] const auto subject = [&] { return "the result of " + of + " from instance " + made.instance; };
            try {
                if constexpr (std::is_void_v<R>) made.value.emplace();
                else made.value = detail::decode_of<R>(subject, one.payload);
            } catch (...) {
                made.error = std::current_exception();
            }
        }
        co_return all;
    }

    std::shared_ptr<detail::rpc_core> core_;
};

}  // namespace taskflux
