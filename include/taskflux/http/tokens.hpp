#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/http/permission.hpp>
#include <taskflux/log.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

namespace secrets {
class token_book;
}

/// Bearer tokens, by a JSON file: `{"name": {"sha256": "...", "permission": "submit", "expires": "2027-01-01T00:00:00Z"}}`; without
/// `expires` a token does not expire. The file holds hashes alone; it is read again as a users file is. Thread-safe, and quick.
///
/// SHA-256 is enough here: a token has 256 random bits, so nobody finds it by trying, however quick a trial is. scrypt makes
/// trials slow for passwords, of which people choose few.
class tokens {
public:
    /// Errors: `unavailable`, where the file can't be read; `invalid_argument`, where it is not valid.
    tokens(std::string file, time_point now, duration look_every = std::chrono::seconds(1), log_sink log = {});
    ~tokens();
    tokens(const tokens&) = delete;
    tokens& operator=(const tokens&) = delete;

    struct bearer {
        std::string name;
        permission may;
    };
    /// Whose token it is; nothing: it is none, or has expired.
    std::optional<bearer> verify(std::string_view token, time_point now);

private:
    std::unique_ptr<secrets::token_book> book_;
};

/// Makes a token, adds its hash to a tokens file, under this name instead of one that it had, and returns it: it is shown once.
/// Errors: `invalid_argument`, for a name as of `add_user`; those of the file as of `tokens`.
std::string add_token(const std::string& file, std::string_view name, permission may, std::optional<time_point> expires = {});

/// Removes a token by its name. False: there was none. Errors: those of the file.
bool remove_token(const std::string& file, std::string_view name);

}  // namespace taskflux::http
