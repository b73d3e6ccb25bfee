#pragma once

#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/secrets/login_memory.hpp>

#include <string>
#include <string_view>

namespace taskflux::http::secrets {

login_memory::login_memory(duration keep, std::size_t most) : keep_(keep), most_(most), secret_(random_bytes(digest_size)) {}

std::string login_memory::key(std::string_view name, std::string_view password) const {
    std::string text;
    append_part(text, name);
    append_part(text, password);
    auto made = hmac_sha256(secret_, text);
    OPENSSL_cleanse(text.data(), text.size());
    return made;
}

void login_memory::add(const std::string& key, time_point now) {
    if (keep_ <= duration::zero() || most_ == 0) return;
    // All are kept for the same time, so the oldest ends first; but not where the clock was set back.
    while (!order_.empty() && (order_.size() >= most_ || until_[order_.front()] <= now)) {
        until_.erase(order_.front());
        order_.pop_front();
    }
    if (until_.insert_or_assign(key, later(now, keep_)).second) order_.push_back(key);
}

void login_memory::clear() {
    until_.clear();
    order_.clear();
}

}  // namespace taskflux::http::secrets
