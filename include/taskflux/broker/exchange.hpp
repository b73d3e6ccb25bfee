#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {
class close_listeners;
}

/// Where a process hears others; see `exchange::open`. Once it is destroyed its listener is not called any more.
class mailbox {
public:
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    virtual ~mailbox() = default;

    /// For `exchange::send`; no other mailbox has had it.
    const std::string& address() const { return address_; }

protected:
    explicit mailbox(std::string address) : address_(std::move(address)) {}

private:
    std::string address_;
};

/// What stands on a board.
struct announcement {
    std::string id;
    std::string text;
};

/// What a process sends back in place of a mailbox that has been closed there. (No aggregate: GCC 12 destroys temporaries of
/// those twice in a co_await expression.)
class bounce {
public:
    bounce() {}
    bounce(std::string to, std::string text) : address(std::move(to)), message(std::move(text)) {}

    std::string address;  ///< empty: nothing
    std::string message;
};

/// Messages between processes, which are not stored, and boards: lists of the processes that are there. Thread-safe; errors and cancellation
/// as those of `broker`.
class exchange {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;
    using listener = std::function<void(std::string_view message)>;
    using receipt = std::function<void(std::exception_ptr trouble, bool was_heard)>;

    /// Bytes of a message, at most: a server disconnects a subscriber that has too much to read.
    static constexpr std::size_t max_message_size = 4 * 1024 * 1024;

    exchange();
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    virtual ~exchange() = default;

    /// Whether it has been closed, or its execution context has ended.
    bool is_closed() const;

    /// Calls `hears` when this is closed, once, on the thread that closes it; now, if it is closed. As long as the returned
    /// object lives; a call that another thread has begun may still run then. Not at the end of the context. It must not throw,
    /// nor wait, nor call this.
    std::shared_ptr<const void> on_close(std::function<void()> hears);

    /// Opens a mailbox. `hear` is called for each message, one at a time, in the order in which one sender has sent them,
    /// on the broker's executor; it must not throw, nor wait. On a server, a message may be lost until this process has
    /// subscribed, which begins with the broker: at the latest an `announce` of this process, or a `send` with an `otherwise`,
    /// returns only when it has.
    virtual std::unique_ptr<mailbox> open(listener hear) = 0;

    /// Sends a message, which is heard at most once; returns whether a process was there to hear it. Where the process is
    /// there but the mailbox has been closed, `otherwise` comes back, at most once, or the result is false; a message with an
    /// `otherwise` is not sent before this process can hear an answer. Errors: `unavailable` when it is not known whether it
    /// was heard; `too_large`.
    awaitable<bool> send(std::string address, std::string message, bounce otherwise);
    awaitable<bool> send(std::string address, std::string message) {
        return send(std::move(address), std::move(message), bounce());
    }

    /// Sends a message without waiting for it: see `send`. `done`, if there is one, is called with the error or the result of
    /// `send`, once, maybe before this returns, or never where the broker's context ends first; it must not throw, nor wait,
    /// nor keep the broker alive.
    void post(std::string address, std::string message, bounce otherwise, receipt done);
    void post(std::string address, std::string message) { post(std::move(address), std::move(message), bounce(), {}); }

    /// Puts a text on a board, in place of the one with this id, for as long as `lease`, and not before this process' mailboxes
    /// hear: a reader of the board can send to an address on it. Errors: `invalid_argument` for a board that is not a name; `unavailable`
    /// when the process does not hear in time.
    virtual awaitable<void> announce(std::string board, std::string id, std::string text, duration lease) = 0;

    /// Takes the text with this id off a board. Errors: those of `announce`.
    virtual awaitable<void> withdraw(std::string board, std::string id) = 0;

    /// What is on a board and within its lease, by id. Errors: those of `announce`.
    virtual awaitable<std::vector<announcement>> announced(std::string board) = 0;

protected:
    /// For an implementation that stands in front of another one: it is closed with that.
    explicit exchange(const exchange* inner) : closing_(inner->closing_) {}

    /// For an implementation, which calls it first in `close`: from here on it is closed, also for who sees a call throw that.
    void begin_closing();

    /// For an implementation, which calls it at the end of `close`, when its calls throw.
    void tell_closed();

    /// What an implementation calls `hears` for: its context ends, and it is closed without waking anything.
    void at_context_end(const asio::any_io_executor& executor, std::function<void()> hears);

private:
    /// `done` is there, and hears what does not throw.
    virtual void do_post(std::string address, std::string message, bounce otherwise, receipt done) = 0;

    const std::shared_ptr<detail::close_listeners> closing_;
};

}  // namespace taskflux
