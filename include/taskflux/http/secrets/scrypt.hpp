#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http::secrets {

/// What scrypt costs (RFC 7914): 128 * block * 2^log_rounds bytes of memory, and `lanes` times the work of that.
class scrypt_cost {
public:
    /// 32 MiB, some 0.3 s: of the equally strong settings that OWASP's Password Storage Cheat Sheet recommends for scrypt (N 2^17
    /// with p 1, 2^16 with 2, 2^15 with 3, 2^14 with 5, 2^13 with 10; r 8) one of which a server can do several at a time.
    scrypt_cost() = default;
    scrypt_cost(unsigned log_rounds, unsigned block, unsigned lanes) : log_rounds_(log_rounds), block_(block), lanes_(lanes) {}

    unsigned log_rounds() const { return log_rounds_; }
    unsigned block() const { return block_; }
    unsigned lanes() const { return lanes_; }

    std::uint64_t memory() const { return std::uint64_t(128) * block_ << log_rounds_; }
    std::uint64_t work() const { return memory() * lanes_; }

private:
    unsigned log_rounds_ = 15, block_ = 8, lanes_ = 3;
};

/// A password as it is stored: `scrypt$ln=15,r=8,p=3$salt$hash`, salt and hash in base64 without padding. A value.
class password_hash {
public:
    /// Takes as long as a check. Errors: `unavailable`, if OpenSSL fails.
    static password_hash make(std::string_view password, const scrypt_cost& cost = scrypt_cost());

    /// Of no password: checking it costs what others do.
    static password_hash decoy(const scrypt_cost& cost);

    /// Nothing: it is not of that form, or takes more than 256 MiB, or more than 1 GiB of work.
    static std::optional<password_hash> parse(std::string_view text);

    /// Whether it is this password. Takes memory and time: not for a thread that does I/O. Errors: `unavailable`, if OpenSSL fails.
    bool is(std::string_view password) const;

    std::string text() const;
    const scrypt_cost& cost() const { return cost_; }

private:
    scrypt_cost cost_;
    std::string salt_, hash_;
};

}  // namespace taskflux::http::secrets
