#pragma once

#include <taskflux/broker/exchange.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/event.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

struct sending {
    event done;
    std::exception_ptr trouble;
    bool was_heard = false;
};

}  // namespace detail

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
