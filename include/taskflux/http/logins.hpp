#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/http/basic.hpp>
#include <taskflux/http/login_throttle.hpp>
#include <taskflux/http/on_pool.hpp>
#include <taskflux/http/permission.hpp>
#include <taskflux/http/session.hpp>
#include <taskflux/http/tokens.hpp>
#include <taskflux/http/users.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

/// What became of a request's login.
class login {
public:
    enum class kind {
        passed,   ///< `name()` may do `may()`
        missing,  ///< 401: there is none that is known here
        wrong,    ///< 401: it is not right, or has expired
        slowed    ///< 429: not tried; again after `retry_after()`
    };

    login(kind is = kind::missing) : is_(is) {}
    login(std::string name, permission may) : is_(kind::passed), name_(std::move(name)), may_(may) {}
    login(session of, permission may) : is_(kind::passed), name_(of.user), may_(may), session_(std::move(of)) {}
    explicit login(std::chrono::seconds after) : is_(kind::slowed), retry_after_(after) {}

    kind is() const { return is_; }
    const std::string& name() const { return name_; }
    permission may() const { return may_; }
    std::chrono::seconds retry_after() const { return retry_after_; }

    /// Where a cookie gave it: a request that changes something is served only with this session's CSRF token.
    const std::optional<session>& by_cookie() const { return session_; }

private:
    kind is_;
    std::string name_;
    permission may_ = permission::none;
    std::chrono::seconds retry_after_{0};
    std::optional<session> session_;
};

/// What logins are looked up in; each may be null.
struct login_sources {
    std::shared_ptr<users> passwords;
    std::shared_ptr<tokens> bearers;
    std::shared_ptr<const sessions> cookies;  ///< need `passwords`, which say what their users may do
    bool has_tls = true;                      ///< of clients: which of `sessions::cookie_name` counts
};

/// Who makes a request. Passwords are checked on `pool`, so that its threads bound how many scrypts run, and throttled; passwords
/// that were right lately, tokens and sessions cost neither. Thread-safe; must outlive its calls.
class logins {
public:
    logins(login_sources sources, asio::any_io_executor pool, std::shared_ptr<clock> time,
           throttle_options throttle = throttle_options())
        : sources_(std::move(sources)), pool_(std::move(pool)), time_(std::move(time)), throttle_(throttle) {}

    /// `given`: of the Authorization, which counts before the cookies where it is Basic or Bearer; `cookie`: the Cookie field,
    /// empty where there is none; `from`: the client's address. Errors: `unavailable`, if OpenSSL fails.
    asio::awaitable<login> check(credentials given, std::string cookie, asio::ip::address from);

    /// A name and a password that come in another way, as where the dashboard begins a session. Errors as of `check`.
    asio::awaitable<login> check_password(std::string name, std::string password, asio::ip::address from);

    /// Whether a request with this login may change something: always, unless a cookie gave it; then with its session's CSRF token.
    bool may_change(const login& of, std::optional<std::string_view> csrf_token) const;

private:
    login check_cookie(const std::string& cookie) const;

    const login_sources sources_;
    const asio::any_io_executor pool_;
    const std::shared_ptr<clock> time_;
    std::mutex mutex_;
    login_throttle throttle_;
};

}  // namespace taskflux::http
