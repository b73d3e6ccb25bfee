#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/back_off.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/keep_trying.hpp>

#include <exception>
#include <random>
#include <utility>

namespace taskflux::detail {

asio::awaitable<void> keep_trying(clock& source, time_point limit, std::function<asio::awaitable<void>()> attempt,
                                  std::function<void(const std::string&)> say) {
    std::minstd_rand random(std::random_device{}());
    for (unsigned tries = 1;; ++tries) {
        auto trying = attempt();
        const auto tried = co_await caught(std::move(trying));
        if (!tried.failure()) co_return;
        const auto why = describe(tried.failure());
        if (code_of(why) != errc::unavailable || source.now() >= limit) std::rethrow_exception(tried.failure());
        say(why.message);
        co_await back_off(source, tries, random);
    }
}

}  // namespace taskflux::detail
