#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <thread>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// Runs functions at once where they come from one thread, and elsewhere on another executor: a coroutine begins on that thread
/// and, once it has waited, goes on elsewhere. So it does not depend on that thread's life.
class here_first {
public:
    here_first(std::thread::id here, asio::any_io_executor elsewhere) : here_(here), elsewhere_(std::move(elsewhere)) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept {
        return asio::query(elsewhere_, asio::execution::context);
    }
    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
        return never_ ? asio::execution::blocking_t(asio::execution::blocking.never)
                      : asio::execution::blocking_t(asio::execution::blocking.possibly);
    }
    here_first require(asio::execution::blocking_t::never_t) const {
        auto copy = *this;
        copy.never_ = true;
        return copy;
    }
    here_first require(asio::execution::blocking_t::possibly_t) const {
        auto copy = *this;
        copy.never_ = false;
        return copy;
    }

    template <class Function>
    void execute(Function&& function) const {
        if (!never_ && std::this_thread::get_id() == here_) {
            std::decay_t<Function> now(std::forward<Function>(function));
            std::move(now)();
        } else {
            elsewhere_.execute(std::forward<Function>(function));
        }
    }

    friend bool operator==(const here_first& a, const here_first& b) noexcept {
        return a.here_ == b.here_ && a.elsewhere_ == b.elsewhere_ && a.never_ == b.never_;
    }

private:
    std::thread::id here_;
    asio::any_io_executor elsewhere_;
    bool never_ = false;
};

}  // namespace taskflux::detail
