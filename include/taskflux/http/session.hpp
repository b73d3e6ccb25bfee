#pragma once

#include <taskflux/core/time.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// What signs sessions. Gateways that serve the same people need the same secrets, from their config: a session of one is then
/// good at all of them, and after a restart.
class session_secrets {
public:
    /// At least 32 bytes each, such as `openssl rand -base64 32` prints. The first one signs, all are accepted: to change it, put
    /// the new one in front, and take the old one away when its sessions have ended. Errors: `invalid_argument`, for none or a
    /// short one.
    explicit session_secrets(std::vector<std::string> secrets);

    /// One of its own, for a single gateway: its sessions end with it.
    static session_secrets random();

    /// For the library.
    const std::vector<std::string>& all() const { return secrets_; }

private:
    std::vector<std::string> secrets_;
};

/// A login of the dashboard.
struct session {
    std::string user;
    std::string id;  ///< random
    std::string stamp;
    time_point expires;
};

/// Sessions as signed cookies: nothing of them is stored anywhere. A session ends with its time, with another password of its user,
/// and with the user; logging out removes the cookie, while a copy of it stays good until then. Thread-safe, and quick.
class sessions {
public:
    /// `lifetime`: of a session, twelve hours by default.
    explicit sessions(session_secrets secrets, duration lifetime = std::chrono::hours(12))
        : secrets_(std::move(secrets)), lifetime_(lifetime) {}

    /// `__Host-taskflux`, which no other site of the domain can set, or `taskflux` for a server without TLS.
    static std::string_view cookie_name(bool secure) { return secure ? "__Host-taskflux" : "taskflux"; }

    duration lifetime() const { return lifetime_; }

    /// The value of the cookie for a user who has just logged in. `stamp`: of `users::find`; it is not shown to the user.
    std::string begin(std::string_view user, std::string_view stamp, time_point now) const;

    /// The session that a cookie's value is of. Nothing: it is none that was signed with one of the secrets, or has ended. Who
    /// takes it for a login also asks `is_current`.
    std::optional<session> read(std::string_view cookie, time_point now) const;

    /// Whether the user's password is still the one of the login.
    bool is_current(const session& of, std::string_view stamp) const;

    /// What a page of this session sends in a header with each request that changes something, since cookies are also sent with
    /// what other sites make a browser ask for.
    std::string csrf_token(const session& of) const;
    bool is_csrf_token(const session& of, std::string_view token) const;

private:
    session_secrets secrets_;
    duration lifetime_;
};

}  // namespace taskflux::http
