#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/rpc/instances.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/core/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// The state that copies of an `rpc` share: a mailbox, and the calls that wait for a reply. Thread-safe; lives in a shared_ptr.
class rpc_core : public std::enable_shared_from_this<rpc_core> {
public:
    rpc_core(broker_ptr broker, std::shared_ptr<call_observer> observer)
        : broker_(checked_broker(std::move(broker), "an rpc")), observer_(std::move(observer)), instances_(broker_) {}

    /// To be called once, before anything else.
    void open();

    const broker_ptr& broker() const { return broker_; }
    const std::shared_ptr<call_observer>& observer() const { return observer_; }
    detail::instances& instances() { return instances_; }

    /// Calls one instance, and waits for its reply.
    static asio::awaitable<std::string> call(std::shared_ptr<rpc_core> self, call_request what);

    /// Calls one instance, and returns when that has taken the call.
    static asio::awaitable<reading> open_stream(std::shared_ptr<rpc_core> self, call_request what);

    /// Sends a call to an instance that receives it.
    static asio::awaitable<void> notify(std::shared_ptr<rpc_core> self, call_request what);

private:
    struct pending;  // a call that waits for its reply
    class waiting;   // registers a call under a number, which its reply names

    time_point now() const { return broker_->clock().now(); }

    static call_message message_of(const call_request& what, time_point ends, std::string reply_to);

    /// An instance that was not tried; where there is none, one of the doubtful ones, which may have only lost their connection.
    /// Where there is none of these either, it throws `why` the call is repeated.
    static asio::awaitable<service_instance> choose_again(std::shared_ptr<rpc_core> self, const call_request& what,
                                                          std::set<std::string>& tried, std::set<std::string>& doubtful,
                                                          time_point& ends, std::exception_ptr why);

    /// The message that is sent back where the service has ended, though its process has not.
    bounce refusal_of(std::uint64_t id) const;

    /// An instance that has a call: for errors, and to look whether it is alive.
    struct taken_by {
        taken_by(const call_request& what, std::string id) : service(what.service), instance(std::move(id)), call(what.name()) {}
        std::string service, instance;
        std::string call;  // its name
    };

    /// Waits for the reply, and checks now and then whether the instance is still alive.
    asio::awaitable<void> wait(pending& mine, taken_by by, time_point ends);

    /// Whether it is alive; true also where that is not known by `ends`.
    asio::awaitable<bool> is_there(std::string service, std::string instance, time_point ends);
    static error lost(const taken_by& by);

    /// Lets a stream's reader check whether its source is still alive, and cancel it when the reader leaves.
    void follow(inlet& in, const taken_by& by, const std::string& address, time_point ends);

    /// Throws when a stream's source is gone.
    static asio::awaitable<void> look_for(std::shared_ptr<rpc_core> self, taken_by by, time_point ends, bool is_lost);

    /// Sends without waiting, so that a call that can't be sent times out, too; an error is stored in the call.
    void send(const std::shared_ptr<pending>& mine, const taken_by& by, std::string to, std::string text, bounce back);

    /// Sends, and returns whether it was heard. `what` is sent, for errors. Errors: `timed_out`.
    static asio::awaitable<bool> send_in_time(std::shared_ptr<rpc_core> self, std::string what, std::string instance,
                                              std::string to, std::string text, bounce back, time_point ends);

    /// Cancels the method of a call that nobody waits for any more. Does not wait.
    void abandon(const std::string& address, std::uint64_t id, const std::string& reader);

    void hear(std::string_view text);

    /// The broker is closed: no reply will come.
    void end_all();

    const broker_ptr broker_;
    const std::shared_ptr<call_observer> observer_;
    detail::instances instances_;
    std::unique_ptr<mailbox> box_;
    std::shared_ptr<const void> closing_;
    std::atomic<std::uint64_t> calls_made_ = 0;
    std::mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<pending>> calls_;
};

}  // namespace taskflux::detail
