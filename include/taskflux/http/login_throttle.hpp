#pragma once

#include <taskflux/core/time.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// How failed logins are slowed down: each failure after the free ones doubles the time until the next trial.
class throttle_options {
public:
    throttle_options() = default;

    /// How many failures of one name from one address cost nothing, 5 by default.
    throttle_options& free_trials(unsigned count) { return free_trials_ = count, *this; }
    /// How many of one address with any names, and of one name from any address, 50 by default.
    throttle_options& free_in_all(unsigned count) { return free_in_all_ = count, *this; }
    /// The time after the first failure that is not free, one second by default, and the longest, five minutes.
    throttle_options& delays(duration first, duration longest) { return first_ = first, longest_ = longest, *this; }
    /// The longest for one name from other addresses, 30 s by default: strangers slow a user down, and do not lock them out.
    throttle_options& longest_for_name(duration span) { return longest_for_name_ = span, *this; }
    /// Failures are forgotten after this time without another one, 15 minutes by default, but not before the longest delay.
    throttle_options& forget_after(duration span) { return forget_after_ = span, *this; }
    /// How many trials of one address may be under way, 64 by default.
    throttle_options& most_under_way(unsigned count) { return most_under_way_ = count, *this; }
    /// How many addresses, names and pairs are kept of each, 10,000 by default; the one that was seen longest ago goes first.
    throttle_options& most_kept(std::size_t count) { return most_kept_ = count, *this; }

    unsigned free_trials() const { return free_trials_; }
    unsigned free_in_all() const { return free_in_all_; }
    duration first() const { return first_; }
    duration longest() const { return longest_; }
    duration longest_for_name() const { return longest_for_name_; }
    duration forget_after() const { return forget_after_; }
    unsigned most_under_way() const { return most_under_way_; }
    std::size_t most_kept() const { return most_kept_; }

private:
    unsigned free_trials_ = 5, free_in_all_ = 50, most_under_way_ = 64;
    duration first_ = std::chrono::seconds(1), longest_ = std::chrono::minutes(5), longest_for_name_ = std::chrono::seconds(30),
             forget_after_ = std::chrono::minutes(15);
    std::size_t most_kept_ = 10'000;
};

/// Whether a login may be tried now, by the failures of its address, its name, and of both together. A state that is given the
/// time, of any clock that does not step. IPv6 addresses count by their first 64 bits: who has one of those has them all. Not
/// thread-safe.
class login_throttle {
public:
    explicit login_throttle(throttle_options options = throttle_options());

    /// Nothing: the login may be tried, and its end is told by `failed` or `passed`. Else how long to wait: 429 with Retry-After.
    /// What is refused so does not count.
    std::optional<std::chrono::seconds> begin(const boost::asio::ip::address& from, std::string_view name, time_point now);

    void failed(const boost::asio::ip::address& from, std::string_view name, time_point now);

    /// It was right: the failures of the pair are forgotten, and others' failures with this name do not slow down this address.
    /// Failures with other names still count: somebody with a login of their own tries others' passwords no quicker.
    void passed(const boost::asio::ip::address& from, std::string_view name, time_point now);

    /// It was not found out, as where the password could not be checked.
    void gave_up(const boost::asio::ip::address& from);

    /// How many addresses, names and pairs are kept.
    std::size_t size() const { return addresses_.entries.size() + names_.entries.size() + pairs_.entries.size(); }

private:
    struct entry {
        unsigned failures = 0, under_way = 0;
        bool is_known = false;  // a login was right
        time_point last{};
        std::list<std::string>::iterator place{};
    };
    struct table {
        std::map<std::string, entry, std::less<>> entries;  // ordered: clients choose the names, and no choice makes it slow
        std::list<std::string> order;                       // the one that was seen last is the last
    };

    entry* find(table& in, const std::string& key, time_point now);
    entry& touch(table& in, const std::string& key, time_point now);
    void end_trial(const std::string& address);
    duration left(const entry* of, unsigned free, duration longest, time_point now) const;

    const throttle_options options_;
    table addresses_, names_, pairs_;
};

}  // namespace taskflux::http
