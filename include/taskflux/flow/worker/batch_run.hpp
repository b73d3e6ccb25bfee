#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/handlers.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace taskflux::detail {

class batch_run;

/// A task in a batch: an attempt without a slot of its own.
class batch_part : public attempt {
public:
    using attempt::attempt;
    ~batch_part() override;

    using attempt::as_task;
    using attempt::begin_span_in_batch;
    using attempt::begin_until;
    using attempt::set_result;
    using attempt::timeout;

    bool is_queued() const override;
    bool has_slot() const override { return false; }
    bool is_handlers(const void* chain) const override;
    const batch_run* batch() const { return batch_.get(); }
    void cancel(errc reason) override;

    std::exception_ptr failure;  // as the batch's handler says; only there, and after its end

private:
    friend class batch_run;

    boost::intrusive_ptr<batch_run> batch_;  // before others find it
    time_point due_ = never;                 // when its batch is to run at the latest
    bool has_ended_ = false;                 // guarded by the batch
    bool is_told_ = false;                   // that it must end; the same
};

using batch_parts = std::vector<batch_part*>;

/// A handler of batches without its types. It is not called as one for single tasks.
class batch_handler : public task_handler {
public:
    batch_handler(slot_job::kind kind, retry_policy::predicate test, const batch_limits& limits, bool has_keys)
        : task_handler(kind, test, false), limits_(limits), has_keys_(has_keys) {}

    const batch_limits& limits() const { return limits_; }
    bool has_keys() const { return has_keys_; }

    /// An attempt at a task, with room for its payload; the arguments are those of `attempt`.
    virtual boost::intrusive_ptr<batch_part> make_part(executor_state& pool, std::shared_ptr<attempt_owner> owner,
                                                       taskflux::clock& clock, duration timeout, std::string queue,
                                                       std::shared_ptr<const std::string> consumer, delivery what) = 0;

    /// Reads the payload of one that it has made; gives its key, or empty where batches have none. Throws what can't be read.
    virtual std::string read(batch_part& one) = 0;

    /// For a coroutine. The parts, which have been read, must live until it has ended; none of them is missing.
    virtual asio::awaitable<void> run_batch(const batch_parts& parts) = 0;
    /// For a plain function.
    virtual void call_batch(const batch_parts& parts) = 0;

private:
    asio::awaitable<void> run(context&, std::string_view, std::string&) final { co_return; }
    void call(context&, std::string_view, std::string&) final {}

    const batch_limits limits_;
    const bool has_keys_;
};

/// A batch: collects attempts, then runs them in one slot. An item that is cancelled before that leaves it; one that is
/// cancelled later is told, and when all are the handler is cancelled. Thread-safe.
class batch_run final : public executor_job {
public:
    /// `pool`, `handler` and `clock` belong to `owner`, and live as long. `due`: when it runs though it is not full.
    batch_run(executor_state& pool, std::shared_ptr<attempt_owner> owner, batch_handler& handler, taskflux::clock& clock,
              std::string key, time_point due)
        : executor_job(handler.kind(), pool), owner_(std::move(owner)), handler_(handler), clock_(clock), key_(std::move(key)),
          lingers_until_(due), bounds_{due} {}

    const batch_handler& handler() const { return handler_; }
    const std::string& key() const { return key_; }

    // While it collects: for one thread at a time, beside those that cancel items.

    time_point due() const;

    /// Whether one of so many bytes fits.
    bool fits(std::size_t bytes) const;
    void add(boost::intrusive_ptr<batch_part> one);

    /// How many more it takes, if they are as large as those that it has; at least 1, or 0 where it is full.
    std::size_t space() const;

    /// It collects no more. Gives the limits that the slots keep for it, nothing where it has none: those of its items that end
    /// first. They stay, whatever items leave it then.
    std::optional<run_options> close();
    bool is_closed() const;

    void cancel(batch_part& one, errc reason);

    /// The first of those that its handler was given; null: it has not been called. Where its handler runs.
    batch_part* first() const { return begun_.empty() ? nullptr : begun_.front(); }
    using executor_job::runs_in;

    /// It never runs; its items have ended.
    void drop() { let_go(); }

private:
    /// What its items allow.
    struct bounds {
        time_point due;
        std::size_t bytes = 0;
        duration timeout{};             // the shortest; zero: none
        time_point deadline_at = never;  // the first

        void add(const batch_part& one);
    };

    /// Lets one go that has ended before its start; under the mutex.
    boost::intrusive_ptr<batch_part> remove(batch_part& one);

    /// Its handler is called now.
    void begin_parts();

    asio::awaitable<void> run() override;
    void call() override;
    std::string subject() const override;
    void deliver(std::exception_ptr error, bool now) noexcept override;
    void let_go() noexcept override;

    /// Those that have not ended yet.
    std::vector<boost::intrusive_ptr<batch_part>> take_open();

    const std::shared_ptr<attempt_owner> owner_;
    batch_handler& handler_;
    taskflux::clock& clock_;
    const std::string key_;
    const time_point lingers_until_;
    std::shared_ptr<const task_spec> first_;  // of the first item, which may have left

    mutable std::mutex mutex_;  // guards the next, and the marked members of parts
    bounds bounds_;             // after `close`: as they were then
    std::vector<boost::intrusive_ptr<batch_part>> parts_;
    bool is_closed_ = false;
    bool has_begun_ = false;
    std::size_t untold_ = 0;  // of those that have begun

    batch_parts begun_;  // for its handler
};

}  // namespace taskflux::detail
