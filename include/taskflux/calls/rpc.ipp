#pragma once

#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/rpc/call_watch.hpp>
#include <taskflux/calls/rpc/core.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/nursery.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

std::shared_ptr<rpc_core> make_rpc_core(broker_ptr broker, std::shared_ptr<call_observer> observer) {
    auto core = std::make_shared<rpc_core>(std::move(broker), std::move(observer));
    core->open();
    return core;
}

/// What a core is asked for.
template <class T>
using core_call = asio::awaitable<T> (*)(std::shared_ptr<rpc_core>, call_request);

template <class T>
asio::awaitable<T> watched(std::shared_ptr<rpc_core> core, call_request what, core_call<T> make) {
    const auto service = what.service, method = what.method;
    const call_watch watch(core->observer(), &call_observer::on_called);
    auto calling = make(core, std::move(what));
    auto called = co_await caught(std::move(calling));
    watch.end(service, method, called.failure());
    co_return called.take();
}

template <class T>
asio::awaitable<T> observed(std::shared_ptr<rpc_core> core, call_request what, core_call<T> make) {
    if (!core->observer()) return make(std::move(core), std::move(what));
    return watched(std::move(core), std::move(what), make);
}

asio::awaitable<std::string> call_one(std::shared_ptr<rpc_core> core, call_request what) {
    return observed(std::move(core), std::move(what), &rpc_core::call);
}

asio::awaitable<reading> open_stream(std::shared_ptr<rpc_core> core, call_request what) {
    return observed(std::move(core), std::move(what), &rpc_core::open_stream);
}

asio::awaitable<void> notify_one(std::shared_ptr<rpc_core> core, call_request what) {
    return observed(std::move(core), std::move(what), &rpc_core::notify);
}

/// A call of several instances at a time, on a strand of its own.
class broadcast : public std::enable_shared_from_this<broadcast> {
public:
    broadcast(asio::any_io_executor strand, std::shared_ptr<rpc_core> core, std::vector<call_request> calls)
        : strand_(std::move(strand)), core_(std::move(core)), calls_(std::move(calls)), answers_(calls_.size()), all_(strand_) {}

    const asio::any_io_executor& strand() const { return strand_; }

    /// Returns when all calls have ended.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool>) {
        const auto self = shared_from_this();
        for (std::size_t i = 0; i < calls_.size(); ++i) all_.start(call(i));
        co_await all_.end_of_all();
    }

    /// Cancels all calls. Thread-safe.
    void stop() {
        asio::post(strand_, [self = shared_from_this()] { self->all_.stop_all(); });
    }

    /// After `live`: the replies, errors among them. Throws when it was stopped.
    std::vector<raw_reply> take() {
        if (all_.is_stopped()) throw boost::system::system_error(asio::error::operation_aborted, "broadcast");
        return std::move(answers_);
    }

private:
    asio::awaitable<void> call(std::size_t which) {
        const auto self = shared_from_this();
        auto& made = answers_[which];
        made.instance = calls_[which].options.to();
        auto calling = call_one(core_, std::move(calls_[which]));
        auto called = co_await caught(std::move(calling));
        made.error = called.failure();
        if (!made.error) made.payload = called.take();
    }

    const asio::any_io_executor strand_;
    const std::shared_ptr<rpc_core> core_;
    std::vector<call_request> calls_;
    std::vector<raw_reply> answers_;
    nursery all_;
};

asio::awaitable<std::vector<raw_reply>> call_all(std::shared_ptr<rpc_core> core, call_request what) {
    auto& clock = core->broker()->clock();
    auto ends = later(clock.now(), what.options.timeout());
    const auto all = co_await core->instances().first_of(what.service, ends);
    what.options.timeout((std::max)(ends - clock.now(), duration(1)));
    std::vector<call_request> calls;
    for (const auto& one : all) calls.emplace_back(what).options.to(one.id);
    const auto executor = co_await asio::this_coro::executor;
    const auto together = std::make_shared<broadcast>(asio::make_strand(executor), std::move(core), std::move(calls));
    co_await live(together, nullptr);
    co_return together->take();
}

}  // namespace detail

asio::awaitable<std::string> rpc::call_json(std::string service, std::string method, std::string payload,
                                            call_options options) const {
    detail::call_request what;
    what.service = detail::checked_service(service);
    what.method = detail::checked_name(method, "method");
    what.payload = std::move(payload);
    what.options = std::move(options);
    return detail::call_one(core(), std::move(what));
}

}  // namespace taskflux
