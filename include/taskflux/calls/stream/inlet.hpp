#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/sole_use.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// The reader's end of a stream: receives the values of an `outlet`, in order and each once, whatever was lost on the way or
/// is sent again by a second attempt. One coroutine reads at a time. Lives in a shared_ptr.
class inlet : public std::enable_shared_from_this<inlet> {
public:
    /// Called after each second in which nothing was received; `is_lost`: the outlet is gone. Throws when no further value can
    /// be expected.
    using look = std::function<asio::awaitable<void>(bool is_lost)>;

    /// Has room for `window` values. `faults`: that the source may answer with. `source`: its name for errors.
    static std::shared_ptr<inlet> open(broker_ptr broker, std::size_t window, fault_list faults, std::string source);

    inlet(broker_ptr broker, std::size_t window, fault_list faults, std::string source);

    const std::string& address() const { return box_->address(); }
    std::size_t window() const { return window_; }
    const broker_ptr& broker() const { return broker_; }

    /// To be called before the first value is awaited; messages may be there before. `ends`: when the stream times out.
    /// `looks` checks whether the outlet still lives. `leaves` is called when the reader leaves, with whether it has read to
    /// the end.
    void attach(time_point ends, look looks, std::function<void(bool has_ended)> leaves);

    /// Waits until the outlet has sent something; false when the instance took no call. Errors: the error that an instance
    /// answered; `timed_out`.
    static asio::awaitable<bool> begun(std::shared_ptr<inlet> self);

    /// The next value; nothing at the end, or for a null `self`. Once it is cancelled it takes no value. Errors: what the source
    /// has thrown; `timed_out`; `unavailable` when the source is lost; `shut_down` when the broker is closed and no received
    /// value is left; `wrong_state` while another coroutine is in here.
    static asio::awaitable<std::optional<std::string>> next(std::shared_ptr<inlet> self);

    /// No further value will come: a stream that has not ended fails with `why`.
    void close(std::exception_ptr why);

    fault_list faults() const { return faults_; }

    /// Ends the reading.
    void leave();

private:
    void hear(std::string_view text);
    asio::awaitable<void> change();
    void acknowledge(call_message::kind what);
    std::optional<call_message::kind> take(call_message& message);  // with the mutex locked; returns what to send
    std::optional<call_message::kind> missing();

    const broker_ptr broker_;
    const std::size_t window_;
    const fault_list faults_;
    const std::string name_;  // of the source
    const std::shared_ptr<event> changed_;
    std::unique_ptr<mailbox> box_;
    std::shared_ptr<const void> closing_;
    // The reader's.
    time_point ends_ = never;
    look looks_;
    std::function<void(bool)> leaves_;
    sole_use reads_;

    std::mutex mutex_;  // guards all below
    std::string source_;
    std::deque<std::string> values_;  // received, and not read yet
    std::uint64_t received_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t acknowledged_ = 0;  // of taken_: sent to the source
    std::size_t unacknowledged_bytes_ = 0;
    std::uint64_t messages_received_ = 0;
    std::optional<std::uint64_t> asked_for_;  // to be sent again
    std::exception_ptr failure_;
    bool is_refused_ = false;
    bool is_lost_ = false;
    bool has_ended_ = false;
};

}  // namespace taskflux::detail
