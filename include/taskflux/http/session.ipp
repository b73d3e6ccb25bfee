#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/session.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux::http {

namespace secrets {

/// What a signature is for: one for a purpose is none for another.
enum class purpose { session, stamp, csrf };

inline std::string sign(std::string_view secret, purpose of, std::string_view text) {
    constexpr std::string_view labels[] = {"taskflux session 1", "taskflux stamp 1", "taskflux csrf 1"};
    std::string signed_text;
    append_part(signed_text, labels[static_cast<std::size_t>(of)]);
    append_part(signed_text, text);
    return hmac_sha256(secret, signed_text);
}

/// The part at the front of `text` as `append_part` writes it, which `text` loses.
inline std::optional<std::string> take_part(std::string_view& text) {
    std::size_t size = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), size);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (ec != std::errc() || !text.starts_with(':') || text.size() - 1 < size) return std::nullopt;
    std::string part(text.substr(1, size));
    text.remove_prefix(1 + size);
    return part;
}

}  // namespace secrets

session_secrets::session_secrets(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
    constexpr std::size_t shortest = 32;
    if (!secrets_.empty() && std::ranges::all_of(secrets_, [](const auto& one) { return one.size() >= shortest; })) return;
    throw error(errc::invalid_argument,
                "a secret for sessions is missing, or has fewer than 32 bytes; use what openssl rand -base64 32 prints");
}

session_secrets session_secrets::random() {
    std::vector<std::string> one;
    one.push_back(secrets::random_bytes(secrets::digest_size));
    return session_secrets(std::move(one));
}

std::string sessions::begin(std::string_view user, std::string_view stamp, time_point now) const {
    constexpr std::size_t id_size = 16;
    const auto& secret = secrets_.all().front();
    std::string text;
    secrets::append_part(text, user);
    secrets::append_part(text, secrets::random_bytes(id_size));
    secrets::append_part(text, secrets::sign(secret, secrets::purpose::stamp, stamp));
    secrets::append_part(text, std::to_string(later(now, lifetime_).time_since_epoch().count()));
    return secrets::to_base64url(text) + '.' + secrets::to_base64url(secrets::sign(secret, secrets::purpose::session, text));
}

std::optional<session> sessions::read(std::string_view cookie, time_point now) const {
    constexpr std::size_t longest = 2048;
    const auto dot = cookie.find('.');
    if (cookie.size() > longest || dot == std::string_view::npos) return std::nullopt;
    const auto text = secrets::from_base64url(cookie.substr(0, dot)), signature = secrets::from_base64url(cookie.substr(dot + 1));
    if (!text || !signature) return std::nullopt;
    const bool is_ours = std::ranges::any_of(secrets_.all(), [&](const auto& secret) {
        return secrets::same(secrets::sign(secret, secrets::purpose::session, *text), *signature);
    });
    if (!is_ours) return std::nullopt;
    std::string_view rest = *text;
    auto user = secrets::take_part(rest), id = secrets::take_part(rest), stamp = secrets::take_part(rest),
         expires = secrets::take_part(rest);
    if (!user || !id || !stamp || !expires || !rest.empty()) return std::nullopt;
    std::int64_t until = 0;
    std::from_chars(expires->data(), expires->data() + expires->size(), until);
    session made{std::move(*user), std::move(*id), std::move(*stamp), time_point(duration(until))};
    if (now >= made.expires) return std::nullopt;
    return made;
}

bool sessions::is_current(const session& of, std::string_view stamp) const {
    return std::ranges::any_of(secrets_.all(), [&](const auto& secret) {
        return secrets::same(secrets::sign(secret, secrets::purpose::stamp, stamp), of.stamp);
    });
}

std::string sessions::csrf_token(const session& of) const {
    return secrets::to_base64url(secrets::sign(secrets_.all().front(), secrets::purpose::csrf, of.id));
}

bool sessions::is_csrf_token(const session& of, std::string_view token) const {
    const auto given = secrets::from_base64url(token);
    return given && std::ranges::any_of(secrets_.all(), [&](const auto& secret) {
               return secrets::same(secrets::sign(secret, secrets::purpose::csrf, of.id), *given);
           });
}

}  // namespace taskflux::http
