#pragma once

#include <taskflux/core/time.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace taskflux::http::secrets {

/// The logins that were right lately, by a keyed hash of name and password: neither is kept, and how long a look-up takes tells
/// nothing to who does not have the key. Bounded; the oldest goes first. Not thread-safe.
class login_memory {
public:
    login_memory(duration keep, std::size_t most);

    /// What is remembered under.
    std::string key(std::string_view name, std::string_view password) const;

    bool has(const std::string& key, time_point now) const {
        const auto found = until_.find(key);
        return found != until_.end() && now < found->second;
    }

    void add(const std::string& key, time_point now);
    void clear();

    std::size_t size() const { return until_.size(); }

private:
    const duration keep_;
    const std::size_t most_;
    const std::string secret_;
    std::map<std::string, time_point, std::less<>> until_;
    std::deque<std::string> order_;  // as they were added
};

}  // namespace taskflux::http::secrets
