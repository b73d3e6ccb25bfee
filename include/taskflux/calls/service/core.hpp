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

/// A service while it runs. Kept alive by its loop and its calls.
class service_core : public std::enable_shared_from_this<service_core> {
public:
    service_core(broker_ptr broker, const service_options& options, std::shared_ptr<const method_map> methods,
                 asio::any_io_executor cpu);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Runs the service until `stop`, or until the broker is closed, which throws.
    asio::awaitable<void> live(std::shared_ptr<asio::thread_pool> cpu_threads);

    /// Thread-safe.
    void stop();

    /// Ends it without waiting. Thread-safe.
    void abandon();

    std::size_t running() const;

private:
    /// A call in flight.
    struct call {
        call(asio::any_io_executor on, taskflux::clock& clock, call_message message, method_handler& handler)
            : where(std::move(on)), context(clock, message.method, message.headers, message.deadline),
              request(std::move(message)), does(handler) {}

        asio::any_io_executor where;
        call_context context;
        call_message request;
        method_handler& does;
        std::string answer;              // empty: none
        asio::cancellation_signal stop;  // for `where`
        bool is_gone = false;            // the caller waits no more for a reply. Guarded by the core's mutex
    };
    using call_ptr = std::shared_ptr<call>;
    using call_key = std::pair<std::string, std::uint64_t>;  // the caller's address, and the number of its call

    void hear(std::string_view text);
    void begin(call_message request);
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

    asio::awaitable<void> announce(bool leaving, duration lease);
    asio::awaitable<void> leave();
    asio::awaitable<void> withdraw();
    asio::awaitable<void> drain();

    /// Cancels calls past their deadlines; returns when the next one is due.
    time_point cancel_overdue();

    /// Logs an error, if there is one; throws `shut_down`.
    void log_trouble(const std::string& what, const std::exception_ptr& trouble) const;

    const broker_ptr broker_;
    const service_options options_;
    const std::shared_ptr<const method_map> methods_;
    const asio::any_io_executor cpu_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<event> changed_;
    const time_point started_at_;
    std::unique_ptr<mailbox> box_;
    std::atomic<bool> is_stopped_ = false;

    mutable std::mutex mutex_;  // guards all below
    std::map<call_key, call_ptr> calls_;
    std::multimap<time_point, call_ptr> deadlines_;
    bool takes_calls_ = false;
};

}  // namespace taskflux::detail
