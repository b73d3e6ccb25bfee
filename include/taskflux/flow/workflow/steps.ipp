#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/workflow/steps.hpp>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

inline time_point read_time(const std::string& text) { return time_point(duration(number_in<std::int64_t>(text))); }

inline std::string time_text(time_point when) { return std::to_string(when.time_since_epoch().count()); }

/// Shorter waits than this keep the handler in memory.
inline constexpr duration shortest_pause = std::chrono::seconds(1);

/// How often a wait beside others looks for a signal.
inline constexpr duration signal_poll = std::chrono::seconds(1);

error step_mismatch(const std::string& name, const std::string& why) {
    return error(errc::journal_mismatch, "step \"" + name + "\" had a result of another type when this task ran before (" + why +
                                             "): give the changed step another name");
}

asio::awaitable<unsigned> version_of(notebook& book, std::string name, unsigned newest) {
    notebook::check_name("version", name);
    const auto key = step_key("~version/" + name);
    auto chosen = newest;
    if (book.may_have_entries()) {
        const auto known = co_await book.find(key);
        if (!known && co_await book.is_behind()) chosen = 0;
    }
    const auto kept = co_await book.keep(key, std::to_string(chosen));
    chosen = number_in<unsigned>(kept);
    if (chosen <= newest) co_return chosen;
    throw error(errc::journal_mismatch, "version \"" + name + "\" of task " + to_string(book.id()) + " is " + kept +
                                            ", and this handler knows versions up to " + std::to_string(newest) +
                                            ": run the task where the newer handler is");
}

asio::awaitable<void> wait_until(notebook& book, std::string name, time_point when) {
    auto& clock = book.broker()->clock();
    when = (std::max)(when, time_point{});  // all that is long past is the same, and spans from there to now have a number
    place at(std::move(name), call_kind::sleep);
    auto until = when;
    if (!book.may_have_entries() && when - clock.now() < shortest_pause) {
        book.keep_later(trace_of(at.kind).key(at.name), time_text(when));
    } else {
        const auto kept = co_await book.keep(time_text(when), std::move(at));
        until = (std::max)(read_time(kept), time_point{});
        departure pause;
        pause.delay = until - clock.now();
        if (pause.delay >= shortest_pause) co_await book.depart(std::move(pause));
    }
    const parking lent(book.sink());
    co_await guarded(book, sleep_until(clock, until), false);
}

/// The number of a signal that is waited for; unless it is taken, another wait may have the same number.
class awaited_signal {
public:
    awaited_signal(notebook& book, std::string name) : book_(book), name_(std::move(name)), number_(book_.next_signal(name_)) {}
    awaited_signal(const awaited_signal&) = delete;
    awaited_signal& operator=(const awaited_signal&) = delete;
    ~awaited_signal() {
        if (!is_taken_) book_.return_signal(name_, number_);
    }

    std::string key() const { return signal_key(name_, number_); }
    void take() { is_taken_ = true; }

private:
    notebook& book_;
    const std::string name_;
    const std::size_t number_;
    bool is_taken_ = false;
};

asio::awaitable<std::optional<std::string>> next_signal(notebook& book, std::string wait, std::string name, duration limit) {
    awaited_signal signal(book, name);
    place at(std::move(wait), call_kind::signal);
    const auto limit_key = trace_of(at.kind).key(at.name);
    auto& clock = book.broker()->clock();
    const auto mark = '\n' + name;
    const auto latest = limit == (duration::max)() ? never : later(clock.now(), limit);
    const auto kept = co_await book.keep(time_text(latest) + mark, std::move(at));
    const auto line = kept.find('\n');
    if (line != std::string::npos && kept.substr(line) != mark) {
        throw error(errc::journal_mismatch, "a wait for signal \"" + kept.substr(line + 1) + "\" of task " + to_string(book.id()) +
                                                " is one for \"" + name + "\" now: the handler's calls have changed while the "
                                                "task was under way; tell its runs apart (context::version)");
    }
    const auto ends = read_time(kept);
    const auto key = signal.key();
    while (ends != time_point{}) {  // otherwise an earlier run has given up, and so does this one
        auto value = co_await book.find(key);
        if (value) {
            // One that has lost against another call by now takes nothing; what follows here follows at once.
            const auto executor = co_await asio::this_coro::executor;
            co_await asio::post(executor, asio::deferred);
            const auto state = co_await asio::this_coro::cancellation_state;
            const bool has_lost = state.cancelled() != asio::cancellation_type::none;
            if (has_lost) throw boost::system::system_error(asio::error::operation_aborted);
            signal.take();
            co_return value;
        }
        const auto now = clock.now();
        if (now >= ends) {
            co_await book.set(limit_key, time_text({}) + mark);
            break;
        }
        departure pause;
        pause.delay = ends == never ? (duration::max)() : ends - now;
        pause.awaited = key;
        co_await book.depart(std::move(pause));
        const parking lent(book.sink());
        co_await guarded(book, sleep_until(clock, (std::min)(ends, later(now, signal_poll))), false);
    }
    co_return std::nullopt;
}

}  // namespace taskflux::detail
