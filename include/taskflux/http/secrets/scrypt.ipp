#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/secrets/scrypt.hpp>

#include <openssl/evp.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace taskflux::http::secrets {

namespace scrypt_text {

inline constexpr std::string_view prefix = "scrypt$";

/// Takes `name` and the number behind it off `text`. Nothing: it is none of at most `most`.
inline std::optional<unsigned> take_number(std::string_view& text, std::string_view name, unsigned most) {
    if (!text.starts_with(name)) return std::nullopt;
    text.remove_prefix(name.size());
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || value == 0 || value > most) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

inline std::optional<std::string> unpadded(std::string_view text) {
    std::string padded(text);
    padded.append((4 - text.size() % 4) % 4, '=');
    return taskflux::detail::from_base64(padded);
}

inline std::string derive(std::string_view password, std::string_view salt, const scrypt_cost& cost, std::size_t size) {
    constexpr std::uint64_t margin = 1 << 20;  // for what OpenSSL needs besides
    std::string made(size, '\0');
    const bool is_done =
        EVP_PBE_scrypt(password.data(), password.size(), readable(salt), salt.size(), std::uint64_t(1) << cost.log_rounds(),
                       cost.block(), cost.lanes(), cost.memory() + std::uint64_t(128) * cost.block() * (cost.lanes() + 2) + margin,
                       writable(made), size) == 1;
    check(is_done, "do scrypt; is there enough memory?");
    return made;
}

}  // namespace scrypt_text

password_hash password_hash::make(std::string_view password, const scrypt_cost& cost) {
    auto made = decoy(cost);
    made.hash_ = scrypt_text::derive(password, made.salt_, cost, digest_size);
    return made;
}

password_hash password_hash::decoy(const scrypt_cost& cost) {
    constexpr std::size_t salt_size = 16;
    password_hash made;
    made.cost_ = cost;
    made.salt_ = random_bytes(salt_size);
    made.hash_ = random_bytes(digest_size);
    return made;
}

std::optional<password_hash> password_hash::parse(std::string_view text) {
    constexpr std::uint64_t most_memory = 256U << 20, most_work = 1U << 30;
    constexpr std::size_t shortest_salt = 8, shortest_hash = 16, longest = 64;
    if (text.starts_with('$')) text.remove_prefix(1);  // as others write it
    if (!text.starts_with(scrypt_text::prefix)) return std::nullopt;
    text.remove_prefix(scrypt_text::prefix.size());
    const auto log_rounds = scrypt_text::take_number(text, "ln=", 24), block = scrypt_text::take_number(text, ",r=", 64),
               lanes = scrypt_text::take_number(text, ",p=", 64);
    if (!log_rounds || !block || !lanes || !text.starts_with('$')) return std::nullopt;
    text.remove_prefix(1);
    const auto end = text.find('$');
    if (end == std::string_view::npos) return std::nullopt;
    auto salt = scrypt_text::unpadded(text.substr(0, end)), hash = scrypt_text::unpadded(text.substr(end + 1));
    password_hash made;
    made.cost_ = scrypt_cost(*log_rounds, *block, *lanes);
    if (!salt || !hash || made.cost_.memory() > most_memory || made.cost_.work() > most_work || salt->size() < shortest_salt ||
        salt->size() > longest || hash->size() < shortest_hash || hash->size() > longest) {
        return std::nullopt;
    }
    made.salt_ = std::move(*salt);
    made.hash_ = std::move(*hash);
    return made;
}

bool password_hash::is(std::string_view password) const {
    return same(scrypt_text::derive(password, salt_, cost_, hash_.size()), hash_);
}

std::string password_hash::text() const {
    return std::string(scrypt_text::prefix) + "ln=" + std::to_string(cost_.log_rounds()) + ",r=" + std::to_string(cost_.block()) +
           ",p=" + std::to_string(cost_.lanes()) + '$' + to_base64(salt_) + '$' + to_base64(hash_);
}

}  // namespace taskflux::http::secrets
