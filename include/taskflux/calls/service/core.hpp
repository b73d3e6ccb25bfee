#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/gate.hpp>
#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/version.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// A service while it runs, on one strand; its calls run elsewhere. Kept alive by its coroutines and its calls.
class service_core : public std::enable_shared_from_this<service_core> {
public:
    service_core(broker_ptr broker, const service_options& options, std::shared_ptr<const method_map> methods,
                 asio::any_io_executor cpu);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Runs the service until `stop`, or until the broker is closed, which throws unless it has been stopped. Returns when no
    /// call is in flight.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool> cpu_threads);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// For a service that is destroyed while it runs: takes no further call, and cancels those in flight. When this has
    /// returned, nothing begins on the threads of the service's own. Thread-safe.
    void abandon();

    std::size_t running() const;

private:
    using call_key = std::pair<std::string, std::uint64_t>;  // the caller's address, and the number of its call

    /// A call in flight.
    struct call {
        call(asio::any_io_executor on, taskflux::clock& clock, call_message message, method_handler& handler)
            : where(std::move(on)), context(clock, message.service, message.method, message.headers, message.deadline),
              request(std::move(message)), does(handler), key(request.reply_to, request.id) {}

        asio::any_io_executor where;  // a strand that may outlive the threads which it is on
        call_context context;
        call_message request;
        method_handler& does;
        call_key key;
        std::string answer;  // empty: none
        asio::cancellation_signal stop;  // for `where`
        // Guarded by the core's mutex:
        bool is_gone = false;       // the caller waits no more for a reply
        bool is_cut_off = false;    // it was cancelled as the service ends
        bool has_returned = false;  // only its answer is still on its way
    };
    using call_ptr = std::shared_ptr<call>;
    enum class admission { taken, refused, full, known };

    void hear(std::string_view text);
    void begin(call_message request);
    admission admit(const call_ptr& one);
    /// Cancels a call unless it has returned. With the mutex locked: until it returns, and takes the mutex to say so, the
    /// threads on which it runs have work, and are not joined. Only posts.
    void cancel(const call_ptr& one);

    /// Cancels a call whose caller waits no more.
    void cancel(const call_key& key);
    void cancel_all();
    void answer(const call_ptr& one);
    void end(const call_ptr& one);

    /// The method; null, after an error was sent to the caller, where there is none.
    method_handler* find(const call_message& request);
    void refuse(const call_message& request, call_message::kind how, errc code, const std::string& why);
    void open_outlet(call& of);
    static asio::awaitable<void> carry_out(std::shared_ptr<service_core> self, call_ptr one);

    void refuse_calls();

    /// Whether a call was cancelled as the service ends.
    bool cuts_off(const call& one) const {
        const std::lock_guard lock(mutex_);
        return one.is_cut_off;
    }

    /// Sends heartbeats to the directory, and cancels calls past their deadlines, until it is stopped.
    asio::awaitable<void> serve();
    asio::awaitable<void> say(bool leaving, duration lease);
    asio::awaitable<void> announce(bool leaving, duration lease);
    asio::awaitable<void> withdraw();
    asio::awaitable<void> drain();
    bool is_any_unreturned() const;

    /// Cancels calls past their deadlines; returns when the next one is due.
    time_point cancel_overdue();

    /// Logs, unless the broker has been closed, that a notification has failed or was not taken: nobody waits for its answer.
    /// The same line is logged once a second at most, and so is no more than a few of them.
    void log_lost(const call_message& notification, const std::string& why);

    /// Logs an error, if there is one and the broker has not been closed.
    void log_trouble(const std::string& what, const std::exception_ptr& trouble) const;

    const broker_ptr broker_;
    const service_options options_;
    const log_sink log_;
    const std::shared_ptr<const method_map> methods_;
    const asio::any_io_executor cpu_;
    gate gate_;  // of `cpu_`, whose threads may be the service's own
    const asio::any_io_executor strand_;
    const std::shared_ptr<event> changed_;
    const time_point started_at_;
    std::unique_ptr<mailbox> box_;
    lifetime life_;
    std::atomic<bool> is_hurried_ = false;  // calls are not waited for: they are cancelled

    // On the strand.
    nursery parts_;
    nursery::child serving_, leaving_;

    mutable std::mutex mutex_;  // guards all below
    std::map<call_key, call_ptr> calls_;
    std::multimap<time_point, call_ptr> deadlines_;
    std::uint64_t notifications_taken_ = 0;   // which have no number of their own
    std::map<std::string, time_point> lost_;  // the lines on notifications of the last second
    bool takes_calls_ = false;
};

}  // namespace taskflux::detail
