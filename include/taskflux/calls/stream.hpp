#pragma once

#include <taskflux/calls/stream/reading.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

/// The values that a method or a task emits, as its caller reads them:
///
///     auto primes = co_await calls.call(find_primes, 1'000);
///     while (auto prime = co_await primes.next()) use(*prime);
///
/// Values come in order and each once. The source waits for the reader, which buffers at most `window` values and 1 MiB.
/// Destroying a stream before its end cancels its source. For one coroutine at a time.
template <class T>
class stream {
public:
    /// An empty one, like one that was moved from: it has no values, and `next` returns nothing.
    stream() {}

    /// For the library. `of`: what emits the values, for errors.
    stream(detail::reading from, std::string of)
        : from_(std::move(from)), of_(std::make_shared<const std::string>(std::move(of))) {}

    /// The next value; nothing after the last one. Errors, after the values that came before: what the source has thrown, as
    /// from `rpc::call` or `job::result`; `timed_out`; `unavailable` when the source is lost; `wrong_state` while another
    /// coroutine reads. A cancelled call takes no value, so that the stream can be read on, also after `next() || …`.
    asio::awaitable<std::optional<T>> next() { return decoded(from_.next(), of_); }

private:
    static asio::awaitable<std::optional<T>> decoded(asio::awaitable<std::optional<std::string>> reads,
                                                      std::shared_ptr<const std::string> of) {
        const auto text = co_await std::move(reads);
        if (!text) co_return std::nullopt;
        const auto subject = [&] { return "a value that " + *of + " emitted"; };
        co_return detail::decode_of<T>(subject, *text);
    }

    detail::reading from_;
    std::shared_ptr<const std::string> of_;
};

namespace detail {

asio::awaitable<void> emit(std::shared_ptr<outlet> to, std::string value);
asio::awaitable<void> end_stream(std::shared_ptr<outlet> to);
asio::awaitable<void> flush_stream(std::shared_ptr<outlet> to);

}  // namespace detail

/// Sends the values of a handler, which takes it by reference, to the reader of its `stream`. For one coroutine at a time.
template <class T>
class emitter {
public:
    /// For the library; null: nobody reads.
    explicit emitter(std::shared_ptr<detail::outlet> to) : to_(std::move(to)) {}
    emitter(const emitter&) = delete;
    emitter& operator=(const emitter&) = delete;

    /// Sends a value, and returns when the reader has room for it. Drops it when nobody reads. Errors: `too_large` for a value
    /// over 4 MiB; `wrong_state` while another coroutine emits. Cancellable.
    asio::awaitable<void> emit(const T& value) { return detail::emit(to_, encode(value)); }

private:
    std::shared_ptr<detail::outlet> to_;
};

}  // namespace taskflux
