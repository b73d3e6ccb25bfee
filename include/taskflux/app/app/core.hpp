#pragma once

#include <taskflux/admin/node.hpp>
#include <taskflux/app/config/schedules.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// An app while it runs: its parts side by side, on one strand. The first part that fails stops the others.
class app_core final : public std::enable_shared_from_this<app_core> {
public:
    using starter = std::function<asio::awaitable<void>(client)>;

    explicit app_core(broker_ptr broker)
        : broker_(std::move(broker)), strand_(asio::make_strand(broker_->get_executor())) {}

    const asio::any_io_executor& strand() const { return strand_; }

    // What it is made of, set before it lives.
    std::unique_ptr<taskflux::worker> worker;        // null: no task is run here
    std::unique_ptr<node> shown;                     // where there is one
    std::unique_ptr<taskflux::service> service;      // null: nothing is served
    std::unique_ptr<taskflux::scheduler> scheduler;  // null: there is no schedule
    std::vector<app_schedule> schedules;
    submit_options defaults;
    std::vector<starter> starters;
    std::function<void()> on_ready = [] {};

    /// Until it is stopped, or a part has failed, which throws.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool>) {
        const auto self = shared_from_this();
        start(store_schedules());
        while (running_ != 0) co_await changed_.wait();
        if (!is_stopped_) {
            on_ready();  // before the first handler can print
            if (shown) start(shown->run());
            if (service) start(service->run());
            if (scheduler) start(scheduler->run());
            for (const auto& one : starters) start(one(client(broker_, defaults)));
        }
        while (running_ != 0) co_await changed_.wait();
        if (error_) std::rethrow_exception(error_);
    }

    /// Thread-safe; may come before `live`, and more than once.
    void stop() {
        asio::post(strand_, [self = shared_from_this()] { self->stop_all(); });
    }

private:
    void start(asio::awaitable<void> part) {
        ++running_;
        auto& stop = stops_.emplace_back();
        auto on_end = [self = shared_from_this()](std::exception_ptr error) { self->on_end(error); };
        asio::co_spawn(strand_, std::move(part), asio::bind_cancellation_slot(stop.slot(), std::move(on_end)));
    }

    void on_end(const std::exception_ptr& error) {
        --running_;
        if (error && !(is_stopped_ && is_abort(error))) {
            if (!error_) error_ = error;
            stop_all();
        }
        changed_.set();
    }

    static bool is_abort(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& e) {
            return e.code() == asio::error::operation_aborted;
        } catch (...) {
            return false;
        }
    }

    void stop_all() {
        if (std::exchange(is_stopped_, true)) return;
        for (auto& one : stops_) one.emit(asio::cancellation_type::terminal);
    }

    asio::awaitable<void> store_schedules() {
        const auto self = shared_from_this();
        for (const auto& one : schedules) {
            if (!one.is_enabled) {
                co_await remove_schedule(one.id());
                continue;
            }
            const contract<void, raw> task(one.task, with_defaults(one.contract, defaults));
            const raw payload{one.payload};
            auto stored = scheduler->every(one.cron, one.options.zone(), task, payload, one.options);
            co_await std::move(stored);
        }
    }

    asio::awaitable<void> remove_schedule(std::string id) {
        try {
            co_await scheduler->remove(std::move(id));
        } catch (const error& e) {
            if (e.code() != errc::not_found) throw;
        }
    }

    const broker_ptr broker_;
    const asio::any_io_executor strand_;
    event changed_;
    std::list<asio::cancellation_signal> stops_;  // one a part
    int running_ = 0;
    bool is_stopped_ = false;
    std::exception_ptr error_;  // the first
};

}  // namespace taskflux::detail
