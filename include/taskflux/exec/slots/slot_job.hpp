#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/detail/intrusive_list.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>

namespace taskflux::detail {

struct slot;

/// How a job, or one attempt at it, has ended.
enum class job_end : std::uint8_t { succeeded, failed, cancelled, retried };

/// One piece of work for `slots`. Reference counted: the code that makes one with `new` owns the first reference,
/// and passes it to `slot_job_ptr(…, false)`.
///
/// The order of calls: `run` or `call` once per push, then `judge`, then (unless that said `retried`)
/// `deliver`. A job that is cancelled while queued skips the first. One that is destroyed with its execution
/// context gets `abandon` instead of `judge` and `deliver`. A job may leave: an operation that its coroutine awaits lets
/// its completion handler go, which destroys all coroutines from there down to the slot's; nothing is thrown, and the job
/// ends without an error.
class slot_job : public list_hook<slot_job> {
public:
    enum class kind : std::uint8_t { coroutine, plain };

    /// Why the job must stop, once it must.
    bool stopping() const noexcept { return stop_.load(std::memory_order_acquire) != 0; }
    errc stop_reason() const noexcept { return static_cast<errc>(stop_.load(std::memory_order_acquire)); }

    /// Says that the job must stop; the first reason stays.
    void stop(errc reason) noexcept {
        int none = 0;
        stop_.compare_exchange_strong(none, static_cast<int>(reason), std::memory_order_acq_rel);
    }

protected:
    explicit slot_job(kind k) noexcept : kind_(k) {}
    virtual ~slot_job() = default;

    /// The coroutine that a slot awaits (kind `coroutine`). What it throws is handed to `judge`.
    virtual asio::awaitable<void> run() = 0;
    /// The plain function (kind `plain`).
    virtual void call() = 0;
    /// Decides what this end means; may replace the error. On the slot's strand, or wherever it was
    /// cancelled. After `retried` the job may already be running again elsewhere.
    virtual job_end judge(std::exception_ptr& error) noexcept = 0;
    /// Passes the outcome to the completion handler that waits for it: `now`, by calling it if this thread may, or
    /// later. Where it is called now, an exception from it leaves this function.
    virtual void deliver(std::exception_ptr error, bool now) = 0;
    /// Destroys the completion handler that waits, without calling it.
    virtual void abandon() noexcept = 0;

    /// What it is, for errors.
    virtual std::string subject() const { return "the job"; }

    /// Whether this chain (`coroutine_chain`) is that of the coroutine `run`. To be asked within it.
    bool runs_in(const void* chain) const noexcept;
    /// To be called in the chain of `run`, by an operation that lets its completion handler go then.
    void leave() noexcept { has_left_ = true; }

private:
    friend struct slot;
    friend class slots;
    friend class executor_state;
    friend void intrusive_ptr_add_ref(slot_job* j) noexcept {
        j->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(slot_job* j) noexcept {
        if (j->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete j;
    }

    std::atomic<int> references_{1};  // the creator's
    std::atomic<int> stop_{0};
    const kind kind_;
    bool queued_ = false;      // guarded by the slots' mutex
    std::uint32_t epoch_ = 0;  // how many cancel_all came before it; set under the slots' mutex
    slot* slot_ = nullptr;     // the one that took it last; guarded by the slots' mutex
    std::uint32_t runs_ = 0;   // on the strand of the slot that runs it
    bool has_left_ = false;    // the same
};

using slot_job_ptr = boost::intrusive_ptr<slot_job>;
using slot_job_list = intrusive_list<slot_job>;

}  // namespace taskflux::detail
