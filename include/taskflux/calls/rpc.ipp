#pragma once

#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/rpc/core.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/cancellation_condition.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

std::shared_ptr<rpc_core> make_rpc_core(broker_ptr broker) {
    auto core = std::make_shared<rpc_core>(std::move(broker));
    core->open();
    return core;
}

asio::awaitable<std::string> call_one(std::shared_ptr<rpc_core> core, call_request what) {
    return rpc_core::call(std::move(core), std::move(what));
}

asio::awaitable<reading> open_stream(std::shared_ptr<rpc_core> core, call_request what) {
    return rpc_core::open_stream(std::move(core), std::move(what));
}

asio::awaitable<void> notify_one(std::shared_ptr<rpc_core> core, call_request what) {
    return rpc_core::notify(std::move(core), std::move(what));
}

/// Returns an error as part of the reply.
asio::awaitable<raw_reply> call_kept(std::shared_ptr<rpc_core> core, call_request what) {
    raw_reply made;
    made.instance = what.options.to();
    try {
        auto answer = co_await rpc_core::call(std::move(core), std::move(what));
        made.payload = std::move(answer);
    } catch (...) {
        made.error = std::current_exception();
    }
    co_return made;
}

asio::awaitable<std::vector<raw_reply>> call_all(std::shared_ptr<rpc_core> core, call_request what) {
    const auto executor = co_await asio::this_coro::executor;
    auto& clock = core->broker()->clock();
    auto ends = later(clock.now(), what.options.timeout());
    const auto all = co_await core->instances().first_of(what.service, ends);
    what.options.timeout((std::max)(ends - clock.now(), duration(1)));
    std::vector<raw_reply> answers;
    if (all.empty()) co_return answers;
    using operation = decltype(asio::co_spawn(executor, call_kept(core, what), asio::deferred));
    std::vector<operation> calls;
    for (const auto& one : all) {
        auto mine = what;
        mine.options.to(one.id);
        calls.push_back(asio::co_spawn(executor, call_kept(core, std::move(mine)), asio::deferred));
    }
    auto group = asio::experimental::make_parallel_group(std::move(calls));
    auto [order, errors, replies] = co_await group.async_wait(asio::experimental::wait_for_all(), asio::deferred);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (errors[i]) replies[i].error = errors[i];
        answers.push_back(std::move(replies[i]));
    }
    co_return answers;
}

}  // namespace detail

asio::awaitable<std::string> rpc::call_json(std::string service, std::string method, std::string payload,
                                            call_options options) const {
    detail::call_request what;
    what.service = detail::checked_service(service);
    what.method = std::move(method);
    what.payload = std::move(payload);
    what.options = std::move(options);
    return detail::call_one(core_, std::move(what));
}

}  // namespace taskflux
