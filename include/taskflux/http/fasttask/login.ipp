#pragma once

#include <taskflux/http/basic.hpp>
#include <taskflux/http/fasttask/login.hpp>
#include <taskflux/http/problem.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace taskflux::detail {

fasttask_login::fasttask_login(std::string file, broker_ptr broker, log_sink log)
    : file_(std::move(file)), broker_(std::move(broker)), log_(std::move(log)) {
    logins_ = open();
}

std::shared_ptr<http::logins> fasttask_login::open() {
    constexpr auto look_every = std::chrono::seconds(10);
    auto& clock = broker_->clock();
    next_look_ = later(clock.now(), look_every);
    std::error_code ec;
    if (!std::filesystem::exists(file_, ec) && !ec) return nullptr;  // what can't be looked at may be there
    http::login_sources sources;
    sources.passwords = std::make_shared<http::users>(file_, clock.wall(), http::users_options(), log_);
    return std::make_shared<http::logins>(std::move(sources), pool_.get_executor(), clock.shared());
}

std::shared_ptr<http::logins> fasttask_login::current() {
    const std::lock_guard lock(mutex_);
    if (!logins_ && broker_->clock().now() >= next_look_) {
        try {
            logins_ = open();
        } catch (const error& e) {
            next_look_ = {};  // nobody is let in until it can be read
            http::problem closed(503, std::string("logins can't be checked: ") + e.what());
            throw closed.with("detail", "logins can't be checked: the users file is not valid").header("Retry-After", "10");
        }
    }
    return logins_;
}

namespace refused_login {

inline http::problem unauthorized(const char* why) {
    http::problem made(401, why);
    return made.with("detail", why).header("WWW-Authenticate", "Basic");
}

}  // namespace refused_login

asio::awaitable<http::identity> fasttask_login::check(std::shared_ptr<fasttask_login> self, http::call& in) {
    const auto by = self->current();
    if (!by) co_return http::identity("Anonymous", http::permission::submit);
    const auto given = http::credentials::parse(in.request().fields.find("Authorization"));
    using form = http::credentials::kind;
    if (given.is() == form::none || given.is() == form::other || given.is() == form::bearer) {
        throw refused_login::unauthorized("Not authenticated");
    }
    boost::system::error_code ec;
    const auto from = asio::ip::make_address(in.peer(), ec);
    std::string no_cookie;
    auto checking = by->check(given, std::move(no_cookie), from);
    const auto found = co_await std::move(checking);
    using outcome = http::login::kind;
    switch (found.is()) {
        case outcome::passed: break;
        case outcome::missing: throw refused_login::unauthorized("Not authenticated");
        case outcome::wrong: throw refused_login::unauthorized("UNAUTHORIZED");
        case outcome::slowed: {
            const auto seconds = std::to_string(found.retry_after().count());
            http::problem slowed(429, "too many logins have failed; try again in " + seconds + " s");
            throw slowed.header("Retry-After", seconds);
        }
    }
    co_return http::identity(found.name(), found.may());
}

}  // namespace taskflux::detail
