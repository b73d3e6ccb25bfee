#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc/letters.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/event.hpp>

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

/// Where the values of a stream go out: it sends them to an `inlet`, no more than the reader has room for, and keeps each
/// until it has been received. Values are numbered from 0; those that the reader has had from an earlier attempt are left
/// out. One coroutine emits at a time. Lives in a shared_ptr.
class outlet : public std::enable_shared_from_this<outlet> {
public:
    /// For the inlet with the address `to`, which has room for `window` values. `on_gone` is called, once, when the reader
    /// is gone before it has got everything: it has said so, or has heard nothing for ten seconds.
    static std::shared_ptr<outlet> open(broker_ptr broker, std::string to, std::size_t window,
                                        std::function<void()> on_gone = nullptr);

    outlet(broker_ptr broker, std::string to, std::size_t window, std::function<void()> on_gone);

    /// Returns when there is room for the value; when the reader is gone at once. Errors: `too_large`.
    asio::awaitable<void> emit(std::string value);

    /// Says that this was all. Returns when the reader has received it, or is gone.
    asio::awaitable<void> end();

    /// Returns when everything has been sent.
    asio::awaitable<void> flush();

private:
    struct entry {
        std::string text;  // empty once it has been received
        std::size_t size;
    };

    void hear(std::string_view text);
    /// Sends what has not been sent, if nobody does.
    void send_more();
    static asio::awaitable<void> pump(std::shared_ptr<outlet> self);

    /// Waits for a change; after a second in which nothing was heard it asks whether somebody listens.
    asio::awaitable<void> change();

    // Everything below: with the mutex locked.

    bool has_room() const;
    bool is_received() const { return received_ > emitted_; }  // the end too, which counts as a value
    void drop_taken();
    void add(std::string value);
    bool take_letter(call_letter& next);
    std::function<void()> give_up();

    const broker_ptr broker_;
    const std::string to_;
    const std::size_t window_;
    const std::shared_ptr<event> changed_;
    std::unique_ptr<mailbox> box_;

    std::mutex mutex_;  // guards all below
    std::function<void()> on_gone_;
    std::deque<entry> open_;  // emitted and not taken; the last is number emitted_ - 1
    std::size_t bytes_ = 0;   // of those
    std::uint64_t emitted_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t letters_heard_ = 0;
    time_point unheard_since_ = never;
    bool must_show_ = true;  // sends a letter even if it holds nothing
    bool is_ended_ = false;
    bool is_sending_ = false;
    bool is_gone_ = false;
};

}  // namespace taskflux::detail
