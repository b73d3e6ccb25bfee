#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/in_time.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The instances of services as their boards show them, read again after a second, and how many calls of this process each
/// has in flight. Thread-safe.
class instances {
public:
    explicit instances(broker_ptr broker) : broker_(std::move(broker)) {}

    /// The live instances of a service, by id, also those that leave. `must_look`: reads the board again. Errors: `timed_out`
    /// when the board could not be read until `ends`.
    asio::awaitable<std::vector<service_instance>> of(std::string service, time_point ends, bool must_look = false) {
        const auto broker = broker_;
        const auto now = broker->clock().now();
        if (!must_look) {
            const std::lock_guard lock(mutex_);
            auto& known = services_[service];
            const bool is_fresh = now < later(known.seen_at, freshness) && now >= known.seen_at;
            if (!known.all.empty() && (is_fresh || known.is_looking)) co_return known.all;
        }
        const looking mark(*this, service);  // other calls use what was read before
        auto look = broker->announced(board_of(service));
        const auto rows = co_await in_time(broker->clock(), ends, std::move(look), "looking for instances of " + service);
        std::vector<service_instance> all;
        for (const auto& row : rows) {
            try {
                auto one = decode<service_instance>(row.text);
                if (allows(limits::instance, one.id)) all.push_back(std::move(one));
            } catch (const payload_error&) {  // another version's
            }
        }
        const std::lock_guard lock(mutex_);
        auto& known = services_[service];
        known.seen_at = now;
        known.all = all;
        known.deaf.clear();
        co_return all;
    }

    /// Like `of`, at the start of a call that ends at `ends`. The first answer of a server may show that its time is quite
    /// another one: then `ends` is moved.
    asio::awaitable<std::vector<service_instance>> first_of(std::string service, time_point& ends) {
        const auto& clock = broker_->clock();
        const auto begun = clock.now();
        auto all = co_await of(std::move(service), ends);
        const auto seen = clock.now();
        if (seen < begun || seen >= ends) ends = later(seen, ends - begun);
        co_return all;
    }

    /// An instance whose address is not in `tried`, the less busy of two taken at random; `only`: the one with this id. Errors:
    /// `no_instance`, `timed_out`.
    asio::awaitable<service_instance> choose(std::string service, std::string only, const std::set<std::string>& tried,
                                             time_point& ends) {
        const auto is_out = [&](const service_instance& one) {
            return one.leaving || tried.contains(one.address) || (!only.empty() && one.id != only);
        };
        auto all = co_await first_of(service, ends);
        std::erase_if(all, is_out);
        {
            const std::lock_guard lock(mutex_);
            const auto& deaf = services_[service].deaf;
            std::erase_if(all, [&](const auto& one) { return deaf.contains(one.address); });
        }
        if (all.empty()) {
            all = co_await of(service, ends, true);
            std::erase_if(all, is_out);
        }
        if (all.empty()) {
            throw error(errc::no_instance, "service " + service + " can't be called: " +
                                               (only.empty() ? "no instance of it takes calls; start one, or check the name"
                                                             : "its instance " + only + " takes no calls, or is gone; "
                                                               "leave out call_options::to to call any"));
        }
        const std::lock_guard lock(mutex_);
        auto& one = all[pick(all.size())];
        auto& other = all[pick(all.size())];
        co_return load_of(one) <= load_of(other) ? one : other;
    }

    void begun(const std::string& address) {
        const std::lock_guard lock(mutex_);
        ++ours_[address];
    }
    void ended(const std::string& address) {
        const std::lock_guard lock(mutex_);
        const auto at = ours_.find(address);
        if (--at->second == 0) ours_.erase(at);
    }

    /// Marks an instance that did not receive a message: it is dead, or reconnects. It is not chosen until the board has been
    /// read again; calls that it has taken it may still answer.
    void did_not_hear(const std::string& service, const std::string& address) {
        const std::lock_guard lock(mutex_);
        services_[service].deaf.insert(address);
    }

private:
    static constexpr duration freshness = std::chrono::seconds(1);

    struct known_service {
        std::vector<service_instance> all;
        std::set<std::string> deaf;  // addresses
        time_point seen_at{};
        bool is_looking = false;
    };

    class looking {
    public:
        looking(instances& of, std::string service) : of_(of), service_(std::move(service)) {
            const std::lock_guard lock(of_.mutex_);
            of_.services_[service_].is_looking = true;
        }
        looking(const looking&) = delete;
        looking& operator=(const looking&) = delete;
        ~looking() {
            const std::lock_guard lock(of_.mutex_);
            of_.services_[service_].is_looking = false;
        }

    private:
        instances& of_;
        std::string service_;
    };

    // With the mutex:

    std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

    std::uint64_t load_of(const service_instance& one) const {
        const auto at = ours_.find(one.address);
        return (std::max)(one.running, at == ours_.end() ? 0 : at->second);
    }

    const broker_ptr broker_;
    std::mutex mutex_;  // guards all below
    std::map<std::string, known_service> services_;
    std::map<std::string, std::uint64_t> ours_;  // by address
    std::minstd_rand random_{std::random_device()()};
};

}  // namespace taskflux::detail
