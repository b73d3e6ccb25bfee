#pragma once

#include <taskflux/broker/exchange.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/context_end.hpp>
#include <taskflux/detail/event.hpp>

#include <atomic>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

struct sending {
    event done;
    std::exception_ptr trouble;
    bool was_heard = false;
};

/// Who is told that a broker is closed. Thread-safe; lives in a shared_ptr.
class close_listeners : public std::enable_shared_from_this<close_listeners> {
public:
    using listener = std::function<void()>;

    bool is_closed() const { return is_closed_; }

    /// Closes without telling anyone.
    void end() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
    }

    void close() {
        std::list<std::shared_ptr<listener>> all;
        {
            const std::lock_guard lock(mutex_);
            is_closed_ = true;
            all.swap(listeners_);
        }
        for (const auto& one : all) (*one)();
    }

    /// Destroying what is returned takes the listener off; it keeps nothing else alive.
    std::shared_ptr<const void> add(listener hears) {
        auto made = std::make_shared<listener>(std::move(hears));
        {
            const std::lock_guard lock(mutex_);
            if (!is_closed_) {
                listeners_.push_back(made);
                return std::shared_ptr<const void>(made.get(), [weak = weak_from_this(), made](const void*) {
                    if (const auto self = weak.lock()) self->remove(made);
                });
            }
        }
        (*made)();
        return made;
    }

private:
    void remove(const std::shared_ptr<listener>& one) {
        const std::lock_guard lock(mutex_);
        listeners_.remove(one);
    }

    std::mutex mutex_;
    std::list<std::shared_ptr<listener>> listeners_;  // guarded by mutex_
    std::atomic<bool> is_closed_ = false;
};

}  // namespace detail

exchange::exchange() : closing_(std::make_shared<detail::close_listeners>()) {}

bool exchange::is_closed() const { return closing_->is_closed(); }

std::shared_ptr<const void> exchange::on_close(std::function<void()> hears) { return closing_->add(std::move(hears)); }

void exchange::begin_closing() { closing_->end(); }

void exchange::tell_closed() { closing_->close(); }

void exchange::at_context_end(const asio::any_io_executor& executor, std::function<void()> hears) {
    detail::context_end::listen(executor, closing_, [closing = std::weak_ptr(closing_), hears = std::move(hears)] {
        if (const auto alive = closing.lock()) alive->end();
        hears();
    });
}

void exchange::post(std::string address, std::string message, bounce otherwise, receipt done) {
    if (!done) done = [](std::exception_ptr, bool) {};
    try {
        if (message.size() > max_message_size) {
            throw error(errc::too_large, "a message of " + std::to_string(message.size()) + " bytes is not sent: at most " +
                                             std::to_string(max_message_size) + " are; send a reference to it");
        }
        do_post(std::move(address), std::move(message), std::move(otherwise), done);
    } catch (...) {
        done(std::current_exception(), false);
    }
}

asio::awaitable<bool> exchange::send(std::string address, std::string message, bounce otherwise) {
    const auto mine = std::make_shared<detail::sending>();
    post(std::move(address), std::move(message), std::move(otherwise), [mine](std::exception_ptr trouble, bool was_heard) {
        mine->trouble = std::move(trouble);
        mine->was_heard = was_heard;
        mine->done.set();
    });
    co_await mine->done.wait();
    if (mine->trouble) std::rethrow_exception(mine->trouble);
    co_return mine->was_heard;
}

}  // namespace taskflux
