#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/exec/slots/slot.hpp>
#include <taskflux/flow/client/await_end.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/batch_run.hpp>
#include <taskflux/flow/worker/held_slots.hpp>
#include <taskflux/flow/worker/plain_call.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

/// A handler's wait for a task's end, and looks whether there is a worker for that task, on a strand of their own.
class wait_in_slot : public std::enable_shared_from_this<wait_in_slot> {
public:
    /// Of a coroutine.
    wait_in_slot(asio::any_io_executor strand, broker_ptr broker, task_id id, duration wait, bool is_limited,
                 running_handler who, std::shared_ptr<attempt_owner> crew)
        : strand_(std::move(strand)), broker_(std::move(broker)), id_(std::move(id)), wait_(wait), is_limited_(is_limited),
          who_(std::move(who)), crew_(std::move(crew)), hold_(std::in_place, crew_->held(), id_), both_(strand_) {}

    /// Of a plain function.
    wait_in_slot(asio::any_io_executor strand, broker_ptr broker, task_id id, duration wait, std::shared_ptr<const plain_call> by)
        : strand_(std::move(strand)), broker_(std::move(broker)), id_(std::move(id)), wait_(wait), is_limited_(true), who_(by->who),
          function_(std::move(by)), both_(strand_) {}

    const asio::any_io_executor& strand() const { return strand_; }

    /// Returns when the wait is over; `stop`, and the certainty that it has no end, cancel it.
    asio::awaitable<void> live([[maybe_unused]] std::shared_ptr<asio::thread_pool> threads) {
        const auto self = shared_from_this();
        both_.start(waiting_, wait());
        if (!waiting_.is_over()) both_.start(looking_, look_now_and_then());
        co_await both_.end_of(waiting_);
        looking_.stop();
        co_await both_.end_of_all();
    }

    /// Thread-safe.
    void stop() {
        asio::post(strand_, [self = shared_from_this()] { self->waiting_.stop(); });
    }

    /// After `live`.
    std::optional<task_outcome> take() {
        if (made_ && !made_->failure()) return made_->take();
        if (is_deadlock_) {
            const auto slots = crew_->held()->slots();
            throw error(errc::no_worker,
                        "the handler of task " + who_.name + " waits for task " + to_string(id_) +
                            ", which can't begin: only this worker serves its queue, and all of its slots (" +
                            std::to_string(slots) +
                            ") are held by handlers that wait like this; await it by context::call, which lends the slot, or raise "
                            "worker_options::concurrency");
        }
        if (made_) return made_->take();
        both_.check();
        throw boost::system::system_error(asio::error::operation_aborted, "wait");
    }

private:
    asio::awaitable<void> wait() {
        const auto self = shared_from_this();
        auto waiting = broker_->wait(id_, wait_);
        auto ended = co_await caught(std::move(waiting));
        made_.emplace(std::move(ended));
    }

    asio::awaitable<void> look_now_and_then() {
        const auto self = shared_from_this();
        auto& clock = broker_->clock();
        for (duration next = std::chrono::seconds(1);; next = (std::min)(2 * next, duration(std::chrono::seconds(8)))) {
            co_await sleep_for(clock, next);
            if (function_ && function_->has_returned) co_return;
            auto looking = look();
            const auto looked = co_await caught(std::move(looking));  // what can't be asked now is asked again
            if (is_deadlock_) co_return waiting_.stop();
        }
    }

    asio::awaitable<void> look() {
        const auto self = shared_from_this();
        const auto crew = function_ ? function_->crew.lock() : crew_;
        if (!crew) co_return;
        const auto held = crew->held();
        auto found = prospect::begun;
        const bool is_starved = held->are_all_held() || (function_ && held->are_threads_blocked());
        if (is_starved && held->serves(id_.queue)) found = co_await prospect_of(id_, crew);
        const bool is_hopeless = found == prospect::nobody && !is_limited_;
        if (hold_) hold_->set_hopeless(is_hopeless);
        if (found == prospect::begun) co_return;
        is_deadlock_ = is_hopeless && co_await is_certain();
        held->tell(who_, id_, is_deadlock_);
    }

    /// Who can bring about the end of an awaited task: it has begun, or ended; another worker or a limit of its own can; nobody.
    enum class prospect { begun, others, nobody };

    asio::awaitable<prospect> prospect_of(task_id id, std::shared_ptr<attempt_owner> crew) {
        const auto self = shared_from_this();
        const auto record = co_await broker_->get(id);
        const bool waits = record && (record->state == task_state::waiting || record->state == task_state::scheduled);
        if (!waits && !(record && crew->has_waiting(id))) co_return prospect::begun;
        const auto counts = co_await broker_->counts(id.queue);
        const bool is_only_worker = counts.consumers <= 1;  // a worker that serves the queue is one
        co_return is_only_worker && record->limit_at == time_point{} ? prospect::nobody : prospect::others;
    }

    /// Asks anew for what the other handlers wait for: since they have looked, another worker may have begun it.
    asio::awaitable<bool> is_certain() {
        const auto self = shared_from_this();
        const auto awaited = crew_->held()->deadlock();
        for (const auto& id : awaited) {
            if (id == id_ || co_await prospect_of(id, crew_) == prospect::nobody) continue;
            crew_->held()->doubt(id);
            co_return false;
        }
        co_return hold_->give_up();
    }

    const asio::any_io_executor strand_;
    const broker_ptr broker_;
    const task_id id_;
    const duration wait_;
    const bool is_limited_;  // something ends the wait in any case
    const running_handler who_;
    const std::shared_ptr<attempt_owner> crew_;         // of a coroutine
    const std::shared_ptr<const plain_call> function_;  // null: of a coroutine
    std::optional<held_slots::hold> hold_;              // of a coroutine
    std::optional<outcome<std::optional<task_outcome>>> made_;
    bool is_deadlock_ = false;
    nursery both_;
    nursery::child waiting_, looking_;
};

/// `who` lives as long as the handler's coroutine, of which this may be a part.
inline asio::awaitable<std::optional<task_outcome>> await_in_handler(asio::any_io_executor here, broker_ptr broker, task_id id,
                                                                     duration wait, attempt* who) {
    const auto* const chain = co_await own_chain();
    if (!who->is_handlers(chain)) co_return co_await broker->wait(std::move(id), wait);  // something else goes on beside it
    running_handler name{who->id(), who->what().spec->name};
    const bool is_limited = wait != (duration::max)() || who->is_limited();
    const auto both = std::make_shared<wait_in_slot>(asio::make_strand(here), std::move(broker), std::move(id), wait, is_limited,
                                                     std::move(name), who->owner());
    co_await detail::live(both, nullptr);
    co_return both->take();
}

/// The function may not have returned when its wait is over, and need not be on this thread.
inline asio::awaitable<std::optional<task_outcome>> await_for_function(asio::any_io_executor here, broker_ptr broker, task_id id,
                                                                       duration wait, std::shared_ptr<const plain_call> by) {
    const auto both = std::make_shared<wait_in_slot>(asio::make_strand(here), std::move(broker), std::move(id), wait, std::move(by));
    co_await detail::live(both, nullptr);
    co_return both->take();
}

/// The attempt whose handler, a coroutine, runs in a slot; of a batch, the first of those that its handler was given. Null: none.
inline attempt* attempt_in(slot_job* slots_job) {
    if (auto* const one = dynamic_cast<attempt*>(slots_job)) return one;
    const auto* const batch = dynamic_cast<batch_run*>(slots_job);
    return batch && batch->handler().kind() == slot_job::kind::coroutine ? batch->first() : nullptr;
}

std::shared_ptr<const plain_call> calling_function() { return plain_scope::current(); }

asio::awaitable<std::optional<task_outcome>> await_end(broker_ptr broker, task_id id, duration wait,
                                                       const asio::any_io_executor& here, std::shared_ptr<const plain_call> by) {
    const auto crew = by ? by->crew.lock() : nullptr;
    if (crew && crew->broker() == broker) {
        return await_for_function(here, std::move(broker), std::move(id), wait, std::move(by));
    }
    auto* const who = attempt_in(job_on(here));
    if (!who || who->owner()->broker() != broker) return broker->wait(std::move(id), wait);
    return await_in_handler(here, std::move(broker), std::move(id), wait, who);
}

}  // namespace taskflux::detail
