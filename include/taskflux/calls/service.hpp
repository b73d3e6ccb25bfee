#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/call_context.hpp>
#include <taskflux/calls/service_options.hpp>
#include <taskflux/calls/stream/emitting.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/detail/given_function.hpp>
#include <taskflux/detail/run_once.hpp>
#include <taskflux/exec/handler/typed_handler.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskflux {

namespace detail {

class service_core;

using method_handler = basic_handler<call_context>;

/// Handlers by service and method.
using method_map = std::map<std::string, std::map<std::string, std::unique_ptr<method_handler>, std::less<>>, std::less<>>;

/// The contract of a function with these parameters.
template <class Result, class... Parameters>
struct contract_of;
template <class Result>
struct contract_of<Result> {
    using type = method_contract<typename awaited<Result>::type, void>;
};
template <class Result, class Payload>
struct contract_of<Result, Payload> {
    using type = method_contract<typename awaited<Result>::type, std::remove_cvref_t<Payload>>;
};
template <class Result, class T>
struct contract_of<Result, emitter<T>&> {
    using type = stream_method_contract<T, void>;
};
template <class Result, class T, class Payload>
struct contract_of<Result, emitter<T>&, Payload> {
    using type = stream_method_contract<T, std::remove_cvref_t<Payload>>;
};
template <class Result>
struct contract_of<Result, call_context&> : contract_of<Result> {};
template <class Result, class... Parameters>
struct contract_of<Result, call_context&, Parameters...> : contract_of<Result, Parameters...> {};

template <class Member>
struct member_contract;
template <class Class, class Result, class... Args>
struct member_contract<Result (Class::*)(Args...)> : contract_of<Result, Args...> {};
template <class Class, class Result, class... Args>
struct member_contract<Result (Class::*)(Args...) const> : contract_of<Result, Args...> {};

}  // namespace detail

/// Serves the methods of one or more services to callers that use `rpc`, as one instance of each.
///
/// Register methods with `on`, then await `run`. Must not outlive the execution context of its broker. `stop`, `id` and
/// `running` are for any thread, at any time; the rest is for one thread.
class service {
public:
    explicit service(broker_ptr broker, service_options options = service_options());
    service(const service&) = delete;
    service& operator=(const service&) = delete;

    /// Abandons the calls in flight; waits for plain functions that run on threads of the service's own.
    ~service();

    /// Sets the function of a method: a coroutine, which runs on the broker's executor, or a plain function, which runs on
    /// the CPU pool. It takes the payload, or a `call_context&` and the payload. If it throws, its caller gets `call_failed`
    /// with type and message. Errors: `errc::invalid_argument` for a second function and for an empty one,
    /// `errc::wrong_state` once `run` has been called.
    template <class R, class P, class Function>
    service& on(const detail::method_contract<R, P>& method, Function function) {
        detail::require_given(function, "method", method.name());
        add(method.service(), method.name(), detail::make_handler<R, P, call_context>(std::move(function)));
        return *this;
    }

    /// Sets the function of a method that emits values: a coroutine of `asio::awaitable<void>` that takes an `emitter<T>&` and
    /// the payload, with a `call_context&` in front of them if it wants one. It is cancelled when its reader is gone.
    /// Errors: as of the other `on`.
    template <class T, class P, class Function>
    service& on(const detail::stream_method_contract<T, P>& method, Function function) {
        detail::require_given(function, "method", method.name());
        add(method.service(), method.name(), detail::emitting_handler<T, P, Function, call_context>(std::move(function)));
        return *this;
    }

    /// Serves all member functions that `Object`'s class describes (`BOOST_DESCRIBE_CLASS`), under their names. Each takes a
    /// payload or none, with a `call_context&`, an `emitter<T>&` or both in front of it if it wants them.
    template <class Object>
    service& serve(std::string_view name, std::shared_ptr<Object> object) {
        using functions = boost::describe::describe_members<Object, boost::describe::mod_public | boost::describe::mod_function>;
        static_assert(boost::mp11::mp_size<functions>::value > 0,
                      "this class describes no public member function: add BOOST_DESCRIBE_CLASS(Class, (), (function, …), (), ())");
        boost::mp11::mp_for_each<functions>([&](auto described) {
            using contract = detail::member_contract<std::remove_cv_t<decltype(described.pointer)>>;
            const typename contract::type method(name, described.name);
            on(method, bound(object, described.pointer));
        });
        return *this;
    }

    /// Serves until it is cancelled or `stop` is called; then leaves the directory at once, lets calls in flight finish
    /// within `drain_for`, cancels the others, and returns when no call is in flight. Goes on while the broker can't be
    /// reached. Errors: `errc::shut_down` when the broker is closed, unless the service was stopped before; `errc::wrong_state`
    /// when it has been called before.
    asio::awaitable<void> run();

    /// Ends `run` as cancelling it does; a `run` that is called later ends at once.
    void stop();

    /// The instance's id.
    const std::string& id() const { return options_.id(); }

    /// How many calls are in flight.
    std::size_t running() const;

private:
    template <class Object, class Result, class... Args>
    static auto bound(std::shared_ptr<Object> object, Result (Object::*function)(Args...)) {
        return [object, function](Args... args) -> Result { return ((*object).*function)(std::forward<Args>(args)...); };
    }
    template <class Object, class Result, class... Args>
    static auto bound(std::shared_ptr<Object> object, Result (Object::*function)(Args...) const) {
        return [object, function](Args... args) -> Result { return ((*object).*function)(std::forward<Args>(args)...); };
    }

    void add(std::string_view of, std::string_view method, std::unique_ptr<detail::method_handler> handler);

    /// Tells the observer, if there is one, what it serves.
    void tell_methods() const noexcept;

    /// The executor of plain functions, if there are any.
    asio::any_io_executor cpu();

    broker_ptr broker_;
    service_options options_;
    std::shared_ptr<detail::method_map> methods_;
    std::shared_ptr<asio::thread_pool> pool_;
    detail::run_once<detail::service_core> life_;
};

}  // namespace taskflux
