#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/http/permission.hpp>
#include <taskflux/http/secrets/scrypt.hpp>
#include <taskflux/log.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace secrets {
class user_book;
}

/// How a users file is read.
class users_options {
public:
    users_options() = default;

    /// What users may do of whom the file does not say it; `submit` by default.
    users_options& default_permission(permission may) { return default_permission_ = may, *this; }
    /// How often the file is looked at, each second by default.
    users_options& look_every(duration span) { return look_every_ = span, *this; }
    /// How long a password that was right is taken without scrypt, five minutes by default; zero: never.
    users_options& remember_for(duration span) { return remember_for_ = span, *this; }
    /// How many of those are remembered, 1,024 by default.
    users_options& remember_most(std::size_t logins) { return remember_most_ = logins, *this; }

    permission default_permission() const { return default_permission_; }
    duration look_every() const { return look_every_; }
    duration remember_for() const { return remember_for_; }
    std::size_t remember_most() const { return remember_most_; }

private:
    permission default_permission_ = permission::submit;
    duration look_every_ = std::chrono::seconds(1), remember_for_ = std::chrono::minutes(5);
    std::size_t remember_most_ = 1024;
};

/// Who may log in, by a JSON file: `{"name": "password", "name": "scrypt$...", "name": {"password": ..., "permission":
/// "control"}}`. It is read again when it changes; one that is then not valid, or gone, leaves the users as they were, and that is
/// logged. A file with plain passwords is warned of once. All times are the wall clock's. Thread-safe.
class users {
public:
    /// Errors: `unavailable`, where the file can't be read; `invalid_argument`, where it is not valid.
    users(std::string file, time_point now, users_options options = users_options(), log_sink log = {});
    ~users();
    users(const users&) = delete;
    users& operator=(const users&) = delete;

    /// What this user may do, if the same password was right lately: needs no scrypt, so it may be asked on a thread that does I/O.
    std::optional<permission> remembered(std::string_view name, std::string_view password, time_point now);

    /// What this user may do; nothing where the name or the password is not right, which take the same time to find out. A blocking
    /// call with the memory and time of scrypt: post it to a pool, whose threads bound how many run. Errors: `unavailable`, if
    /// OpenSSL fails.
    std::optional<permission> verify(std::string_view name, std::string_view password, time_point now);

    /// A user as the file has it now.
    struct known_user {
        permission may;
        std::string stamp;  ///< another one after the password has changed
    };
    /// For sessions. Nothing: there is no such user.
    std::optional<known_user> find(std::string_view name, time_point now);

private:
    std::unique_ptr<secrets::user_book> book_;
};

/// Adds a user to a users file, or replaces one: the password as a hash. The file is made where there is none, and replaced as a
/// whole; of two changes at the same time one may be lost. Blocks as `verify` does. Errors: `invalid_argument` for a name that is
/// empty, longer than 128 bytes, has a colon or control characters, or a password of fewer than 8 bytes; those of the file as of
/// `users`.
void add_user(const std::string& file, std::string_view name, std::string_view password, permission may,
              const secrets::scrypt_cost& cost = secrets::scrypt_cost());

/// Removes a user from a users file. False: there was none of that name. Errors: those of the file.
bool remove_user(const std::string& file, std::string_view name);

}  // namespace taskflux::http
