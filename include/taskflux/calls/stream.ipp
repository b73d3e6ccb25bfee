#pragma once

#include <taskflux/calls/stream.hpp>
#include <taskflux/calls/stream/outlet.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <string>
#include <utility>

namespace taskflux::detail {

asio::awaitable<void> emit(std::shared_ptr<outlet> to, std::string value) {
    if (to) {
        co_await to->emit(std::move(value));
    } else {
        co_await asio::post(asio::deferred);  // a handler that emits without end is cancelled here
    }
}

asio::awaitable<void> end_stream(std::shared_ptr<outlet> to) {
    if (to) co_await to->end();
}

asio::awaitable<void> flush_stream(std::shared_ptr<outlet> to) {
    if (to) co_await to->flush();
}

}  // namespace taskflux::detail
