#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <string>

namespace taskflux::detail {

/// Marks the context of a `testing::environment`: time moves on there when its one thread has nothing to do, and does not
/// wait for work on other threads, nor for a lease that one of them renews.
class one_thread final : public asio::execution_context::service {
public:
    using key_type = one_thread;
    static inline asio::execution_context::id id;

    explicit one_thread(asio::execution_context& of) : service(of) {}

    static void mark(asio::execution_context& context) { asio::use_service<one_thread>(context); }

    /// Errors: `invalid_argument` where the context of `home` is marked, and `what` has something to do elsewhere: a thread of its
    /// own (`has_thread`), or plain functions on `cpu` (null: a pool of its own). `remedy`: what it is to be made with.
    static void check(const asio::any_io_executor& home, bool has_thread, bool has_plain_functions, const asio::any_io_executor& cpu,
                      const std::string& what, const std::string& remedy) {
        auto& here = context_of(home);
        if (!asio::has_service<one_thread>(here)) return;
        const bool is_elsewhere = has_plain_functions && (!cpu || &context_of(cpu) != &here);
        if (!has_thread && !is_elsewhere) return;
        throw error(errc::invalid_argument, what + " in a testing::environment can't have " +
                                                (is_elsewhere ? "plain functions on other threads" : "a thread of its own") +
                                                ": time moves on there without waiting for it; make it with " + remedy);
    }

private:
    static asio::execution_context& context_of(const asio::any_io_executor& executor) {
        return asio::query(executor, asio::execution::context);
    }

    void shutdown() override {}
};

}  // namespace taskflux::detail
