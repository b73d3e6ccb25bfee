#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/intrusive_list.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/flow/context.hpp>
#include <taskflux/flow/tracer.hpp>
#include <taskflux/flow/worker/decide.hpp>
#include <taskflux/flow/worker/handlers.hpp>
#include <taskflux/flow/worker/plain_call.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

class attempt;
class held_slots;

/// The owner of attempts. Called on any thread on which an attempt runs.
class attempt_owner {
public:
    virtual void on_end(attempt& ended, std::exception_ptr error) noexcept = 0;
    virtual void on_progress(attempt& of, std::string encoded) = 0;
    virtual void on_log(attempt& of, log_line line) = 0;
    virtual void on_abandon(attempt& of) noexcept = 0;
    /// After the ends of its items; nothing: it was abandoned, like them.
    virtual void on_batch_end(std::optional<job_end> how) noexcept = 0;
    virtual void on_park(bool is_parked) = 0;
    virtual void on_interrupt(attempt& of) = 0;
    virtual const broker_ptr& broker() const = 0;
    /// Null: attempts have no spans.
    virtual tracer* tracing() const noexcept = 0;

    /// The slots whose handlers wait for tasks. Thread-safe.
    virtual const std::shared_ptr<held_slots>& held() const = 0;
    /// Whether it has fetched this task, and has not begun it. Thread-safe.
    virtual bool has_waiting(const task_id& id) const = 0;

protected:
    ~attempt_owner() = default;
};

/// One attempt at a task, run by the worker's slots.
class attempt : public executor_job, public list_hook<attempt>, private context_sink {
public:
    /// `pool` and `handler` belong to `owner`, and live as long. `timeout` is for a task that has none.
    attempt(executor_state& pool, std::shared_ptr<attempt_owner> owner, detail::task_handler& handler,
            taskflux::clock& clock, duration timeout, std::string queue, std::shared_ptr<const std::string> consumer,
            delivery what)
        : executor_job(handler.kind(), pool), owner_(std::move(owner)), handler_(handler), what_(std::move(what)),
          consumer_(std::move(consumer)), id_{std::move(queue), what_.key}, clock_(clock),
          timeout_(what_.spec->policy.timeout > duration::zero() ? what_.spec->policy.timeout : timeout) {}

    const delivery& what() const { return what_; }
    const task_id& id() const { return id_; }
    const std::shared_ptr<const std::string>& consumer() const { return consumer_; }

    /// Whether its handler has been called. Thread-safe.
    bool has_begun() const { return has_begun_; }

    /// What statistics count of it, now that it ends. Its handler has returned, or was not called.
    attempt_mark mark() const {
        attempt_mark made;
        made.spec = what_.spec;
        if (has_begun_) made.ran = (std::max)(clock_.now() - began_at_, duration::zero());
        if (is_first_attempt(what_)) made.waited = (std::max)(what_.started_at - what_.due_at, duration::zero());
        made.has_timed_out = stopping() && stop_reason() == errc::timed_out;
        return made;
    }

    /// Whether it waits for a slot. Thread-safe.
    virtual bool is_queued() const { return !has_begun_; }

    /// Whether it takes a slot of its own: an item of a batch shares one with the others.
    virtual bool has_slot() const { return true; }

    /// Ends it, or tells its handler to. Thread-safe.
    virtual void cancel(errc reason) { executor_job::owner().cancel(*this, reason); }

    /// Whether its handler, which has begun, has a timeout or a deadline. In the handler only.
    bool is_limited() const { return ends_ != never; }

    bool is_coroutine() const { return handler_.kind() == kind::coroutine; }

    /// Whether this chain is that of its handler. To be asked within it.
    bool is_handlers(const void* chain) const override { return runs_in(chain); }

    const std::shared_ptr<attempt_owner>& owner() const { return owner_; }

    /// The limits that the slots keep for it; nothing where it has none.
    std::optional<run_options> limits(time_point now) const {
        if (timeout_ == duration::zero() && what_.deadline_at == never) return std::nullopt;
        const auto least = duration(1);  // a limit of zero would be none
        run_options options;
        options.timeout(timeout_);
        if (what_.deadline_at != never) options.deadline((std::max)(what_.deadline_at - now, least));
        return options;
    }

    /// What the handler returned; can be taken once.
    std::string take_result() { return std::move(result_); }

    /// Why it has ended before its handler did, if so.
    std::optional<departure> departed() const { return context_ ? context_->departed() : std::nullopt; }

    /// Ends its span, if it has one, as it is to be settled; null: it is not.
    void end_span(const settlement* end) const noexcept {
        if (span_) detail::end_span(*span_, end);
    }

    /// What `decide` needs to know about an end that is no success.
    failed_attempt failed(std::exception_ptr error) const {
        failed_attempt facts;
        facts.what = &what_;
        facts.departed = departed();
        facts.retry_if = handler_.retry_if();
        if (stopping()) facts.stopped = stop_reason();
        else if (!has_begun_) facts.stopped = errc::shut_down;  // the slots took no more
        facts.error = std::move(error);
        return facts;
    }

protected:
    /// For an item of a batch, whose handler is called now, with so much time.
    void begin_until(time_point ends) {
        began_at_ = clock_.now();
        ends_ = ends;
        has_begun_ = true;
    }
    /// After that, and before its handler is called.
    void begin_span_in_batch() noexcept {
        if (owner_->tracing()) begin_span(as_task(), false);
    }

    /// What a batch handler is given of it.
    running_task as_task() {
        context_sink& sink = *this;
        return running_task(what_, id_, *this, clock_, ends_, sink);
    }

    void set_result(std::string result) { result_ = std::move(result); }

    /// Of an attempt; zero: none.
    duration timeout() const { return timeout_; }

private:
    /// The timeout runs from here on, not from when the task was fetched.
    context& begin_here() {
        has_begun_ = true;
        begin();
        began_at_ = clock_.now();
        ends_ = (std::min)(timeout_ > duration::zero() ? later(began_at_, timeout_) : never, what_.deadline_at);
        context_sink& sink = *this;
        auto& made = context_.emplace(what_, id_, *this, clock_, ends_, sink);
        if (owner_->tracing()) begin_span(made, is_first_attempt(what_));
        return made;
    }

    void begin_span(const running_task& of, bool is_first) noexcept {
        span_ = detail::begin_span(*owner_->tracing(), of, is_first);
    }

    asio::awaitable<void> run() override {
        auto& ctx = begin_here();
        if (what_.unreadable) std::rethrow_exception(what_.unreadable);
        return handler_.run(ctx, what_.payload, result_);
    }

    void call() override {
        if (stopping()) throw boost::system::system_error(make_error_code(stop_reason()));  // while it waited for a thread
        const plain_scope here(*this);
        auto& ctx = begin_here();
        if (what_.unreadable) std::rethrow_exception(what_.unreadable);
        const auto current = span_ ? attach_span(*span_) : nullptr;
        handler_.call(ctx, what_.payload, result_);
    }

    std::string subject() const override { return "task " + what_.spec->name + " (" + to_string(id_) + ')'; }

    void deliver(std::exception_ptr error, bool) noexcept override { owner_->on_end(*this, std::move(error)); }
    void let_go() noexcept override { owner_->on_abandon(*this); }

    void on_progress(std::string encoded) override { owner_->on_progress(*this, std::move(encoded)); }
    void on_log(log_line line) override { owner_->on_log(*this, std::move(line)); }
    const broker_ptr& broker() const override { return owner_->broker(); }
    const std::string& consumer_name() const override { return *consumer_; }
    attempt_span* span() const noexcept override { return span_.get(); }

    std::optional<errc> stopped() const override {
        if (stopping()) return stop_reason();
        if (clock_.now() >= ends_) return errc::timed_out;
        return std::nullopt;
    }
    void leave() override { executor_job::leave(); }
    void interrupt() override { owner_->on_interrupt(*this); }

    // Several calls of a handler may wait at the same time, and it has one slot.
    void park() override {
        if (parked_++ == 0) owner_->on_park(true);
    }
    void unpark() override {
        if (--parked_ == 0) owner_->on_park(false);
    }

    std::shared_ptr<attempt_owner> owner_;
    detail::task_handler& handler_;
    delivery what_;
    std::shared_ptr<const std::string> consumer_;
    task_id id_;
    taskflux::clock& clock_;
    const duration timeout_;
    time_point began_at_{}, ends_ = never;  // of the handler, which has begun
    std::optional<context> context_;  // of the handler, while it runs
    std::unique_ptr<attempt_span> span_;
    std::string result_;
    std::atomic<bool> has_begun_ = false;
    std::atomic<int> parked_ = 0;
};

}  // namespace taskflux::detail
