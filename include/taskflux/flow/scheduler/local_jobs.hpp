#pragma once

#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/gate.hpp>
#include <taskflux/detail/serial_executor.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/flow/scheduler/local_job.hpp>
#include <taskflux/flow/scheduler_options.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// The local jobs that run now. Its functions are for one strand; the jobs run elsewhere, never inside these functions.
class local_runs {
public:
    /// `executor` runs coroutines, `cpu` plain functions. `log` receives the errors of jobs.
    local_runs(asio::any_io_executor executor, asio::any_io_executor cpu, asio::any_io_executor strand, log_sink log)
        : executor_(std::move(executor)), cpu_(std::move(cpu)), strand_(std::move(strand)), log_(std::move(log)) {}

    void start(const local_job& what, overlap_policy overlap) {
        const auto& id = what.definition.id;
        if (overlap == overlap_policy::skip && is_running(id)) return;
        if (overlap == overlap_policy::cancel_previous) cancel(id);
        const bool is_on_threads = what.is_plain && cpu_;
        const auto& on = is_on_threads ? cpu_ : executor_;
        const auto alive = gate_->enter(on);
        if (!alive) return;
        // What is told of a job's end may outlive the threads that it ran on.
        const auto one = std::make_shared<run>(id, is_on_threads ? make_serial(on) : asio::any_io_executor(asio::make_strand(on)));
        runs_->push_back(one);
        // Tracked: while a job runs elsewhere, the strand's context has work.
        const asio::any_io_executor back = asio::prefer(strand_, asio::execution::outstanding_work.tracked);
        auto on_end = [back, runs = runs_, one, log = log_, changed = changed_](std::exception_ptr error) {
            asio::dispatch(back, [runs, one, log, changed, error = std::move(error)] {
                runs->remove(one);
                if (error && !one->is_cancelled) log(log_level::error, "local job " + one->id + " failed: " + describe(error).message);
                changed->set();
            });
        };
        spawn_on(one->where, begin(what.start, gate_), std::move(on_end), one->stop.slot());
    }

    /// Starts no further job. Thread-safe.
    void close() { gate_->close(); }

    void cancel_all() {
        for (const auto& one : *runs_) cancel(one);
    }

    /// Returns when none runs.
    asio::awaitable<void> end_of_all() const {
        while (!runs_->empty()) co_await changed_->wait();
    }

private:
    struct run {
        run(std::string name, asio::any_io_executor on) : id(std::move(name)), where(std::move(on)) {}

        std::string id;
        asio::any_io_executor where;
        asio::cancellation_signal stop;  // for `where`
        bool is_cancelled = false;
    };

    /// Posts first: `co_spawn` may run its coroutine at once, and then the job would run inside `start`.
    static asio::awaitable<void> begin(std::function<asio::awaitable<void>()> job,
                                       std::shared_ptr<const gate> passed) {
        co_await asio::post(asio::deferred);
        if (passed->is_closed()) co_return;
        co_await job();
    }

    bool is_running(std::string_view id) const {
        return std::ranges::any_of(*runs_, [id](const auto& one) { return one->id == id; });
    }

    void cancel(std::string_view id) {
        for (const auto& one : *runs_) {
            if (one->id == id) cancel(one);
        }
    }

    static void cancel(const std::shared_ptr<run>& one) {
        if (std::exchange(one->is_cancelled, true)) return;  // once is enough: a job may take long to end
        asio::post(one->where, [one] { one->stop.emit(asio::cancellation_type::terminal); });
    }

    asio::any_io_executor executor_;
    asio::any_io_executor cpu_;
    asio::any_io_executor strand_;
    log_sink log_;
    const std::shared_ptr<event> changed_ = std::make_shared<event>();  // one has ended
    const std::shared_ptr<std::list<std::shared_ptr<run>>> runs_ = std::make_shared<std::list<std::shared_ptr<run>>>();
    const std::shared_ptr<gate> gate_ = std::make_shared<gate>();  // of the threads, which may be the scheduler's own
};

}  // namespace taskflux::detail
