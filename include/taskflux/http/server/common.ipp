#pragma once

#include <taskflux/core/uuid.hpp>
#include <taskflux/http/server/common.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace taskflux::detail {

std::string server_common::new_prefix() {
    const auto id = uuid_generator().text();
    return id.substr(0, 8) + id.substr(id.size() - 8) + '-';  // when, and at random
}

std::string server_common::make_id() { return id_prefix_ + std::to_string(++next_id_); }

std::string server_common::id_of(const http::request& asked) {
    constexpr std::size_t longest = 128;
    constexpr std::string_view marks = "-_.:/+=@~,";
    const auto given = asked.fields["X-Request-Id"];
    const auto fits = [&](char c) {
        return (c >= '0' && c <= '9') || (lower_letter(c) >= 'a' && lower_letter(c) <= 'z') || marks.find(c) != std::string_view::npos;
    };
    const bool is_sane = !given.empty() && given.size() <= longest && std::ranges::all_of(given, fits);
    return is_sane ? std::string(given) : make_id();
}

connection_set::admission connection_set::admit(const std::string& address) {
    const std::lock_guard lock(mutex_);
    auto& of_address = of_address_[address];
    const auto more = limits_.connections() / 10 + 10;  // that are told why
    if (admitted_ >= limits_.connections() + more) {
        if (of_address == 0) of_address_.erase(address);
        return admission::dropped;
    }
    const bool has_room = admitted_ < limits_.connections() && of_address < limits_.connections_per_address();
    const bool is_flood = of_address >= limits_.connections_per_address() + more;
    if (is_flood) return admission::dropped;
    ++of_address;
    ++admitted_;
    return has_room ? admission::taken : admission::refused;
}

void connection_set::add(std::shared_ptr<http_connection> one) {
    const std::lock_guard lock(mutex_);
    all_.insert(std::move(one));
}

void connection_set::remove(const std::shared_ptr<http_connection>& one, const std::string& address) {
    const std::lock_guard lock(mutex_);
    all_.erase(one);
    --admitted_;
    const auto of_address = of_address_.find(address);
    if (of_address != of_address_.end() && --of_address->second == 0) of_address_.erase(of_address);
}

std::size_t connection_set::size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
}

std::vector<std::shared_ptr<http_connection>> connection_set::all() const {
    const std::lock_guard lock(mutex_);
    return {all_.begin(), all_.end()};
}

}  // namespace taskflux::detail
