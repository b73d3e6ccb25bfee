#pragma once

#include <taskflux/http/cookies.hpp>
#include <taskflux/http/logins.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

namespace secrets {

/// What runs on the pool.
class password_check {
public:
    password_check(std::shared_ptr<users> known, std::string name, std::string password, time_point now)
        : known_(std::move(known)), name_(std::move(name)), password_(std::move(password)), now_(now) {}

    std::optional<permission> operator()() const {
        // Where a client begins with many requests at once, the first one's scrypt serves those that wait for the pool.
        const auto found = known_->remembered(name_, password_, now_);
        return found ? found : known_->verify(name_, password_, now_);
    }

private:
    std::shared_ptr<users> known_;
    std::string name_, password_;
    time_point now_;
};

}  // namespace secrets

asio::awaitable<login> logins::check(credentials given, std::string cookie, asio::ip::address from) {
    switch (given.is()) {
        case credentials::kind::bearer: {
            const auto found = sources_.bearers ? sources_.bearers->verify(given.secret(), time_->wall()) : std::nullopt;
            if (!found) co_return login::kind::wrong;
            co_return login(found->name, found->may);
        }
        case credentials::kind::basic: {
            auto checked = check_password(given.name(), given.secret(), from);
            co_return co_await std::move(checked);
        }
        case credentials::kind::malformed: co_return login::kind::wrong;
        case credentials::kind::none:
        case credentials::kind::other: break;
    }
    co_return check_cookie(cookie);
}

asio::awaitable<login> logins::check_password(std::string name, std::string password, asio::ip::address from) {
    if (!sources_.passwords) co_return login::kind::wrong;
    auto may = sources_.passwords->remembered(name, password, time_->wall());
    if (may) co_return login(name, *may);
    {
        const std::lock_guard lock(mutex_);
        const auto wait = throttle_.begin(from, name, time_->now());
        if (wait) co_return login(*wait);
    }
    secrets::password_check check(sources_.passwords, name, std::move(password), time_->wall());
    std::exception_ptr failure;
    try {
        auto verified = on_pool(pool_, std::move(check));
        may = co_await std::move(verified);
    } catch (...) {
        failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (failure) {
        throttle_.gave_up(from);
        std::rethrow_exception(failure);
    }
    if (!may) {
        throttle_.failed(from, name, time_->now());
        co_return login::kind::wrong;
    }
    throttle_.passed(from, name, time_->now());
    co_return login(name, *may);
}

bool logins::may_change(const login& of, std::optional<std::string_view> csrf_token) const {
    if (!of.by_cookie()) return true;
    return csrf_token && sources_.cookies && sources_.cookies->is_csrf_token(*of.by_cookie(), *csrf_token);
}

login logins::check_cookie(const std::string& cookie) const {
    if (!sources_.cookies || !sources_.passwords) return login::kind::missing;
    auto is = login::kind::missing;
    for (const auto value : cookies_named(cookie, sessions::cookie_name(sources_.has_tls))) {
        is = login::kind::wrong;
        auto found = sources_.cookies->read(value, time_->wall());
        const auto user = found ? sources_.passwords->find(found->user, time_->wall()) : std::nullopt;
        if (user && sources_.cookies->is_current(*found, user->stamp)) return login(std::move(*found), user->may);
    }
    return is;
}

}  // namespace taskflux::http
