#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/sole_use.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// The source's end of a stream: sends values to an `inlet`, no more than the reader has room for, and keeps each until it
/// has been received. Values are numbered from 0; those that the reader has received from an earlier attempt are not sent.
/// One coroutine emits at a time. Lives in a shared_ptr.
class outlet : public std::enable_shared_from_this<outlet> {
public:
    /// For the inlet with the address `to`, which has room for `window` values. `on_gone` is called, once, when the reader
    /// is gone before it has received everything: it has said so, or has received no message for ten seconds.
    static std::shared_ptr<outlet> open(broker_ptr broker, std::string to, std::size_t window,
                                        std::function<void()> on_gone = nullptr);

    outlet(broker_ptr broker, std::string to, std::size_t window, std::function<void()> on_gone);

    /// Sends a value, and returns when there is room for it; at once when the reader is gone. Errors: `too_large`; `shut_down`
    /// when the broker is closed; `wrong_state` while another coroutine is in here.
    asio::awaitable<void> emit(std::string value);

    /// Sends the end of the stream. Returns when the reader has received it, or is gone. Errors: `shut_down`.
    asio::awaitable<void> end();

    /// Returns when everything has been sent, or the broker is closed.
    asio::awaitable<void> flush();

private:
    struct entry {
        std::string text;  // empty once it has been received
        std::size_t size;
    };

    void hear(std::string_view text);

    /// Starts `pump`, unless it runs or there is nothing to send.
    void send_more();
    static asio::awaitable<void> pump(std::shared_ptr<outlet> self);

    /// Waits for a change; after a second in which nothing was received it sends a message, to learn whether the reader lives.
    asio::awaitable<void> change();

    void check_open() const;

    // Everything below: with the mutex locked.

    bool has_room() const;
    bool is_received() const { return received_ > emitted_; }  // the end too, which counts as a value
    void drop_taken();
    void add(std::string value);
    bool next_message(call_message& next);
    std::function<void()> give_up();

    const broker_ptr broker_;
    const std::string to_;
    const std::size_t window_;
    const std::shared_ptr<event> changed_;
    std::unique_ptr<mailbox> box_;
    std::shared_ptr<const void> closing_;
    sole_use emits_;

    std::mutex mutex_;  // guards all below
    std::function<void()> on_gone_;
    std::deque<entry> open_;  // emitted, and not read yet; the last is number emitted_ - 1
    std::size_t bytes_ = 0;   // of those
    std::uint64_t emitted_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t messages_received_ = 0;
    time_point unheard_since_ = never;
    bool must_show_ = true;  // sends a message even if it holds no value
    bool is_ended_ = false;
    bool is_sending_ = false;
    bool is_gone_ = false;
};

}  // namespace taskflux::detail
