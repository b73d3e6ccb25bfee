#pragma once

#include <taskflux/http/login_throttle.hpp>
#include <taskflux/http/syntax/address.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace syntax {

/// The bytes that tell one client from another.
inline std::string address_key(const boost::asio::ip::address& of) {
    constexpr std::size_t network = 8;
    const auto plain = plain_address(of);
    if (plain.is_v4()) {
        const auto bytes = plain.to_v4().to_bytes();
        return '4' + std::string(bytes.begin(), bytes.end());
    }
    const auto bytes = plain.to_v6().to_bytes();
    return '6' + std::string(bytes.begin(), bytes.begin() + network);
}

/// Names are bounded here, too: what is longer than any user's is one name.
inline std::string name_key(std::string_view name) {
    constexpr std::size_t longest = 128;
    return std::string(name.substr(0, longest + 1));
}

}  // namespace syntax

login_throttle::login_throttle(throttle_options options) : options_(options) {}

login_throttle::entry* login_throttle::find(table& in, const std::string& key, time_point now) {
    const auto found = in.entries.find(key);
    if (found == in.entries.end()) return nullptr;
    auto& one = found->second;
    const auto forgotten_at = later(one.last, (std::max)(options_.forget_after(), options_.longest()));
    if (now >= forgotten_at) one.failures = 0;
    return &one;
}

login_throttle::entry& login_throttle::touch(table& in, const std::string& key, time_point now) {
    if (auto* const one = find(in, key, now)) {
        in.order.splice(in.order.end(), in.order, one->place);
        return *one;
    }
    while (!in.order.empty() && in.order.size() >= options_.most_kept()) {
        in.entries.erase(in.order.front());
        in.order.pop_front();
    }
    in.order.push_back(key);
    auto& made = in.entries[key];
    made.place = std::prev(in.order.end());
    made.last = now;
    return made;
}

duration login_throttle::left(const entry* of, unsigned free, duration longest, time_point now) const {
    if (!of || of->failures <= free) return duration::zero();
    auto delay = options_.first();
    for (auto i = free + 1; i < of->failures && delay < longest; ++i) delay *= 2;
    return later(of->last, (std::min)(delay, longest)) - now;
}

std::optional<std::chrono::seconds> login_throttle::begin(const boost::asio::ip::address& from, std::string_view name,
                                                          time_point now) {
    const auto address_key = syntax::address_key(from), name_key = syntax::name_key(name), pair_key = address_key + '/' + name_key;
    const auto* const address = find(addresses_, address_key, now);
    const auto* const pair = find(pairs_, pair_key, now);
    auto wait = (std::max)(left(address, options_.free_in_all(), options_.longest(), now),
                           left(pair, options_.free_trials(), options_.longest(), now));
    const bool is_known = pair && pair->is_known;
    if (!is_known)
        wait = (std::max)(wait, left(find(names_, name_key, now), options_.free_in_all(), options_.longest_for_name(), now));
    if (wait > duration::zero()) return std::chrono::ceil<std::chrono::seconds>(wait);
    auto& trial = touch(addresses_, address_key, now);
    if (trial.under_way >= options_.most_under_way()) return std::chrono::seconds(1);
    ++trial.under_way;
    return std::nullopt;
}

void login_throttle::end_trial(const std::string& address) {
    const auto found = addresses_.entries.find(address);
    if (found != addresses_.entries.end() && found->second.under_way > 0) --found->second.under_way;
}

void login_throttle::failed(const boost::asio::ip::address& from, std::string_view name, time_point now) {
    const auto address_key = syntax::address_key(from), name_key = syntax::name_key(name);
    end_trial(address_key);
    for (auto* const one :
         {&touch(addresses_, address_key, now), &touch(names_, name_key, now), &touch(pairs_, address_key + '/' + name_key, now)}) {
        ++one->failures;
        one->last = now;
    }
}

void login_throttle::passed(const boost::asio::ip::address& from, std::string_view name, time_point now) {
    const auto address_key = syntax::address_key(from);
    end_trial(address_key);
    auto& pair = touch(pairs_, address_key + '/' + syntax::name_key(name), now);
    pair.failures = 0;
    pair.is_known = true;
}

void login_throttle::gave_up(const boost::asio::ip::address& from) {
    end_trial(syntax::address_key(from));
}

}  // namespace taskflux::http
