#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/workflow/steps.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

inline time_point read_time(const std::string& text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return time_point(duration(number));
}

inline std::string time_text(time_point when) { return std::to_string(when.time_since_epoch().count()); }

/// Shorter waits than this keep the handler in memory.
inline constexpr duration shortest_suspension = std::chrono::seconds(1);

/// How often a wait within a group looks for a signal.
inline constexpr duration signal_poll = std::chrono::seconds(1);

asio::awaitable<void> suspend_until(notebook& book, std::string name, time_point when) {
    auto& clock = book.broker()->clock();
    if (!book.may_have_entries() && when - clock.now() < shortest_suspension) {
        const parking lent(book.sink());
        co_await sleep_until(clock, when);
        co_return;
    }
    const auto kept = co_await book.keep(step_key("~sleep/" + name), time_text(when));
    const auto until = read_time(kept);
    const auto left = until - clock.now();
    if (left >= shortest_suspension && !book.is_in_group()) throw suspension{left, {}};
    const parking lent(book.sink());
    co_await sleep_until(clock, until);
}

/// The number of a signal that is waited for; unless it is taken, the next wait gets the same number.
class awaited_signal {
public:
    awaited_signal(notebook& book, std::string name)
        : book_(book), name_(std::move(name)), key_(signal_key(name_, book_.next_signal(name_))) {}
    awaited_signal(const awaited_signal&) = delete;
    awaited_signal& operator=(const awaited_signal&) = delete;
    ~awaited_signal() {
        if (!is_taken_) book_.return_signal(name_);
    }

    const std::string& key() const { return key_; }
    void take() { is_taken_ = true; }

private:
    notebook& book_;
    const std::string name_;
    const std::string key_;
    bool is_taken_ = false;
};

asio::awaitable<std::optional<std::string>> next_signal(notebook& book, std::string place, std::string name, duration limit) {
    awaited_signal signal(book, std::move(name));
    const auto& key = signal.key();
    const auto limit_key = step_key("~signal/" + place);
    auto& clock = book.broker()->clock();
    const bool has_limit = limit != (duration::max)();
    auto ends = never;
    if (has_limit) {
        const auto kept = co_await book.keep(limit_key, time_text(later(clock.now(), limit)));
        ends = read_time(kept);
    }
    while (ends != time_point{}) {  // otherwise an earlier run has given up, and so does this one
        auto value = co_await book.find(key);
        if (value) {
            signal.take();
            co_return value;
        }
        const auto now = clock.now();
        if (now >= ends) {
            co_await book.set(limit_key, time_text({}));
            break;
        }
        if (!book.is_in_group()) throw suspension{has_limit ? ends - now : (duration::max)(), key};
        const parking lent(book.sink());
        co_await sleep_until(clock, (std::min)(ends, later(now, signal_poll)));
    }
    co_return std::nullopt;
}

}  // namespace taskflux::detail
