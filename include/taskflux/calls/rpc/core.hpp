#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/rpc/instances.hpp>
#include <taskflux/calls/rpc/letters.hpp>
#include <taskflux/core/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// What an `rpc` shares: its mailbox, and the calls that wait for an answer. Thread-safe; lives in a shared_ptr.
class rpc_core : public std::enable_shared_from_this<rpc_core> {
public:
    explicit rpc_core(broker_ptr broker) : broker_(std::move(broker)), instances_(broker_) {}

    /// To be called once, before anything else.
    void open();

    const broker_ptr& broker() const { return broker_; }
    detail::instances& instances() { return instances_; }

    /// Calls one instance.
    static asio::awaitable<std::string> call(std::shared_ptr<rpc_core> self, call_request what);

    /// Calls one instance, which has taken the call when this returns.
    static asio::awaitable<reading> open_stream(std::shared_ptr<rpc_core> self, call_request what);

    /// Sends to one that hears it.
    static asio::awaitable<void> notify(std::shared_ptr<rpc_core> self, call_request what);

private:
    struct pending;  // a call that waits
    class waiting;   // has a number, by which an answer finds it

    time_point now() const { return broker_->clock().now(); }

    static call_letter letter_of(const call_request& what, time_point ends, std::string reply_to);

    /// What comes back where the service has ended, though its process has not.
    bounce refusal_of(std::uint64_t id) const;

    /// Until there is an answer; looks now and then whether who is to give it is still there.
    asio::awaitable<void> wait(pending& mine, std::string service, std::string instance, time_point ends);

    asio::awaitable<bool> is_there(std::string service, std::string instance, time_point ends);
    static error lost(const std::string& service, const std::string& instance);

    /// Lets a stream's reader look whether its source is still there, and tell it when it leaves.
    void follow(inlet& in, const std::string& service, const std::string& instance, const std::string& address,
                time_point ends);

    /// Throws when a stream's source is gone.
    static asio::awaitable<void> look_for(std::shared_ptr<rpc_core> self, std::string service, std::string instance,
                                          time_point ends, bool is_lost);

    /// Waits for nothing, so that a call's time ends also one that can't be sent: the call hears what becomes of it.
    void send(const std::shared_ptr<pending>& mine, std::string to, std::string text, bounce back);

    /// Nobody waits any more: the method is to be cancelled. Waits for nothing.
    void abandon(const std::string& address, std::uint64_t id, const std::string& reader);

    void hear(std::string_view text);

    const broker_ptr broker_;
    detail::instances instances_;
    std::unique_ptr<mailbox> box_;
    std::atomic<std::uint64_t> calls_made_ = 0;
    std::mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<pending>> calls_;
};

}  // namespace taskflux::detail
