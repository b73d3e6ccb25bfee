#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Where one server listens.
struct address {
    std::string host;
    std::uint16_t port = 0;

    friend bool operator==(const address&, const address&) = default;
};

/// What a Redis URL says. Its passwords are in no message and not in `to_string`.
struct redis_url {
    redis_url() = default;

    std::string user;                ///< empty: the default user
    std::string password;            ///< empty: none
    std::vector<address> addresses;  ///< one server, or the Sentinels; empty for a Unix socket
    std::string unix_socket;         ///< path of the socket; empty for TCP
    std::string master;              ///< the master's name for Sentinels; empty: `addresses` is the server
    std::string sentinel_user;       ///< to the Sentinels; empty: their default user
    std::string sentinel_password;   ///< to the Sentinels; empty: none
    int database = 0;
    bool tls = false;
    std::string ca;    ///< file with the certificates to trust; empty: those of the system
    std::string cert;  ///< file with this client's certificate chain; empty: none
    std::string key;   ///< file with the private key of `cert`
    std::optional<std::chrono::milliseconds> timeout;  ///< of a call; none: the default
    std::optional<unsigned> durable;  ///< replicas that must have a submission; none: the default
    std::string prefix = "tf";        ///< what all keys and channels begin with, before a ':'

    friend bool operator==(const redis_url&, const redis_url&) = default;
};

/// The URL in its usual form, with `***` for passwords.
std::string to_string(const redis_url& url);

/// Reads one of
///   redis://[user[:password]@]host[:port][/db][?options]    rediss:// the same over TLS
///   redis+unix://[user[:password]@]/path[?db=1]             also unix://
///   redis+sentinel://[user[:password]@]a[:26379],b,c/master[/db]    rediss+sentinel:// the same over TLS
/// with the options timeout=500ms (or s), db=1, durable=1 (see `connection_options`), prefix= and, over TLS, ca=,
/// cert= and key= (files). User and password are for the servers; Sentinels get sentinel_user= and
/// sentinel_password=. TLS is for servers and Sentinels alike; there is no mixture. User, password, paths and
/// options are percent-decoded. Mistakes throw `invalid_argument`, and quote nothing of the URL.
redis_url parse_url(std::string_view text);

namespace wire {

class url_parser {
public:
    explicit url_parser(std::string_view text) {
        if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }))
            fail("a space, line break or control character is in it: leave it out, or write a space as %20");
        const auto colon = text.find("://");
        const auto scheme = text.substr(0, colon);
        if (colon == std::string_view::npos) {
            fail(
                "the URL has no scheme: begin it with redis://, rediss://, redis+unix:// or "
                "redis+sentinel://");
        }
        auto rest = text.substr(colon + 3);
        if (rest.find('#') != std::string_view::npos) fail("'#' has no meaning there: write it as %23");
        const auto query = rest.find('?');
        const auto options = query == std::string_view::npos ? std::string_view() : rest.substr(query + 1);
        rest = rest.substr(0, query);
        const auto slash = rest.find('/');
        const auto authority = rest.substr(0, slash);
        const auto path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
        if (path.find('@') != std::string_view::npos) {
            fail(
                "an '@' stands behind a '/': write '/' in a user or password as %2F, and '@' in a path or "
                "name as %40");
        }
        const auto hosts = read_user(authority);

        if (scheme == "redis" || scheme == "rediss") {
            url_.tls = scheme == "rediss";
            url_.addresses.push_back(read_address(hosts, 6379));
            if (path.size() > 1) read_database(path.substr(1));
        } else if (scheme == "redis+unix" || scheme == "unix") {
            if (!hosts.empty() || path.size() < 2) {
                fail(
                    "a Unix socket is named by its absolute path, with three slashes: "
                    "redis+unix:///run/redis.sock");
            }
            url_.unix_socket = decode(path);
        } else if (scheme == "redis+sentinel" || scheme == "rediss+sentinel") {
            url_.tls = scheme == "rediss+sentinel";
            read_sentinels(hosts, path);
        } else {
            fail(
                "the scheme is not known: use redis, rediss, redis+unix, unix, redis+sentinel or "
                "rediss+sentinel, in small letters");
        }
        read_options(options);
    }

    redis_url take() { return std::move(url_); }

private:
    // Quotes nothing of the URL: where a character is missing or not encoded, any part may be a piece of a password.
    [[noreturn]] static void fail(const std::string& what) {
        throw error(errc::invalid_argument, "Redis URL: " + what);
    }

    static int digit(char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    }

    static std::string decode(std::string_view text) {
        std::string out;
        for (std::size_t i = 0; i != text.size(); ++i) {
            if (text[i] != '%') {
                out += text[i];
                continue;
            }
            const auto high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
            const auto low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) fail("a '%' needs two hexadecimal digits after it; '%' itself is %25");
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (out.find('\0') != std::string::npos) fail("%00 is not allowed: leave it out");
        return out;
    }

    template <class Number>
    static bool read_number(std::string_view text, Number& out) {
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
        return ec == std::errc() && end == text.data() + text.size();
    }

    std::string_view read_user(std::string_view authority) {
        const auto at = authority.rfind('@');
        if (at == std::string_view::npos) return authority;
        const auto user = authority.substr(0, at);
        const auto colon = user.find(':');
        url_.user = decode(user.substr(0, colon));
        if (colon != std::string_view::npos) url_.password = decode(user.substr(colon + 1));
        if (!url_.user.empty() && url_.password.empty()) {
            fail("a user needs a password: user:password@host (a password alone: :password@host)");
        }
        return authority.substr(at + 1);
    }

    static bool is_letter_or_digit(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    static address read_address(std::string_view text, std::uint16_t port) {
        address out{{}, port};
        auto host = text;
        std::optional<std::string_view> number;
        if (text.starts_with('[')) {
            const auto close = text.find(']');
            if (close == std::string_view::npos) fail("the ']' of an IPv6 address is missing: [::1]:6379");
            host = text.substr(1, close - 1);
            const auto after = text.substr(close + 1);
            if (after.starts_with(':')) {
                number = after.substr(1);
            } else if (!after.empty()) {
                fail("after an IPv6 address comes ':' and a port, or nothing: [::1]:6379");
            }
        } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
            host = text.substr(0, colon);
            number = text.substr(colon + 1);
            if (number->find(':') != std::string_view::npos) {
                fail(
                    "an IPv6 address goes into brackets: [::1]:6379 (and an '@' is missing after a "
                    "password)");
            }
        }
        if (host.empty()) fail("the host is missing: redis://localhost:6379");
        const std::string_view special = text.starts_with('[') ? ":.%-_~" : ".-_";
        if (!std::ranges::all_of(host, [special](char c) { return is_letter_or_digit(c) || special.find(c) != std::string_view::npos; })) {
            fail(
                "the host holds what no host's name does: it follows an '@' where there is a user or password, "
                "in which special characters are percent-encoded");
        }
        if (number && (!read_number(*number, out.port) || out.port == 0)) {
            fail(
                "the port is not a number from 1 to 65535 (after a password comes '@'; a '/' in it is written as "
                "%2F)");
        }
        out.host = host;
        return out;
    }

    void read_sentinels(std::string_view hosts, std::string_view path) {
        for (;;) {
            const auto comma = hosts.find(',');
            url_.addresses.push_back(read_address(hosts.substr(0, comma), 26379));
            if (comma == std::string_view::npos) break;
            hosts.remove_prefix(comma + 1);
        }
        if (!path.empty()) path.remove_prefix(1);
        const auto slash = path.find('/');
        url_.master = decode(path.substr(0, slash));
        if (url_.master.empty())
            fail("the master's name is missing: redis+sentinel://a:26379,b:26379/mymaster");
        if (slash != std::string_view::npos && slash + 1 != path.size())
            read_database(path.substr(slash + 1));
    }

    void read_database(std::string_view text) {
        if (!read_number(text, url_.database) || url_.database < 0) {
            fail("the database is not a number from 0 on (a '/' in a password is written as %2F)");
        }
    }

    void read_timeout(std::string_view text) {
        const bool ms = text.ends_with("ms");
        const auto unit = ms ? std::int64_t{1} : std::int64_t{1000};
        const auto number = text.substr(0, text.size() - (ms ? 2 : text.ends_with('s') ? 1 : 0));
        std::int64_t value = 0;
        // An hour at most: a call that may take longer should be a task.
        if (number.size() == text.size() || !read_number(number, value) || value < 1 ||
            value > 3'600'000 / unit) {
            fail("timeout is not a time from 1ms to 3600s: timeout=500ms or timeout=5s");
        }
        url_.timeout = std::chrono::milliseconds(value * unit);
    }

    void read_durable(std::string_view text) {
        constexpr unsigned most = 100;
        unsigned replicas = 0;
        if (!read_number(text, replicas) || replicas > most)
            fail("durable is not a number of replicas from 0 to 100: durable=1");
        url_.durable = replicas;
    }

    void read_prefix(std::string_view text) {
        constexpr std::size_t most = 64;
        const auto fits = [](char c) { return is_letter_or_digit(c) || std::string_view("-_.").find(c) != std::string_view::npos; };
        if (text.empty() || text.size() > most || !std::ranges::all_of(text, fits))
            fail("prefix must be 1 to 64 of A-Z a-z 0-9 - _ . : prefix=shop");
        url_.prefix = text;
    }

    void read_option(std::string_view name, std::string_view value) {
        const bool file = name == "ca" || name == "cert" || name == "key";
        if (file && !url_.tls) fail("the options ca, cert and key are for TLS: rediss:// or rediss+sentinel://");
        if (name.starts_with("sentinel_") && url_.master.empty())
            fail("the options sentinel_user and sentinel_password are for redis+sentinel://");
        if (file && value.empty()) fail("the options ca, cert and key name a file: ca=/etc/ssl/redis.pem");
        if (name == "ca") {
            url_.ca = decode(value);
        } else if (name == "cert") {
            url_.cert = decode(value);
        } else if (name == "key") {
            url_.key = decode(value);
        } else if (name == "db") {
            read_database(value);
        } else if (name == "timeout") {
            read_timeout(value);
        } else if (name == "durable") {
            read_durable(value);
        } else if (name == "prefix") {
            read_prefix(value);
        } else if (name == "sentinel_user") {
            url_.sentinel_user = decode(value);
        } else if (name == "sentinel_password") {
            url_.sentinel_password = decode(value);
        } else {
            fail(
                "an option is not known: there are timeout, db, durable, prefix, ca, cert, key, sentinel_user and "
                "sentinel_password (a '?' in a password is written as %3F, a '&' as %26)");
        }
    }

    void read_options(std::string_view options) {
        while (!options.empty()) {
            const auto end = options.find('&');
            const auto option = options.substr(0, end);
            const auto equals = option.find('=');
            read_option(option.substr(0, equals),
                        equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1));
            options.remove_prefix(end == std::string_view::npos ? options.size() : end + 1);
        }
        if (url_.cert.empty() != url_.key.empty()) fail("cert and key go together: name both files");
        if (!url_.sentinel_user.empty() && url_.sentinel_password.empty())
            fail("sentinel_user needs a password: add sentinel_password=");
    }

    redis_url url_;
};

inline std::string encoded(std::string_view text) {
    constexpr std::string_view plain = "-._~/";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

}  // namespace wire

inline redis_url parse_url(std::string_view text) {
    return wire::url_parser(text).take();
}

inline std::string to_string(const redis_url& url) {
    std::string out = url.tls ? "rediss://" : "redis://";
    if (!url.unix_socket.empty()) out = "redis+unix://";
    if (!url.master.empty()) out = url.tls ? "rediss+sentinel://" : "redis+sentinel://";
    out += wire::encoded(url.user);
    if (!url.password.empty()) out += ":***";
    if (!url.user.empty() || !url.password.empty()) out += '@';
    char separator = '?';
    for (const auto& each : url.addresses) {
        if (&each != &url.addresses.front()) out += ',';
        out += each.host.find(':') == std::string::npos ? each.host : '[' + each.host + ']';
        out += ':' + std::to_string(each.port);
    }
    if (!url.master.empty()) out += '/' + wire::encoded(url.master);
    out += wire::encoded(url.unix_socket);
    const auto option = [&](std::string_view name, const std::string& value) {
        if (value.empty()) return;
        out += std::exchange(separator, '&');
        out += name;
        out += '=' + wire::encoded(value);
    };
    if (url.unix_socket.empty()) {
        out += '/' + std::to_string(url.database);
    } else {
        option("db", std::to_string(url.database));
    }
    option("ca", url.ca);
    option("cert", url.cert);
    option("key", url.key);
    if (url.timeout) option("timeout", std::to_string(url.timeout->count()) + "ms");
    if (url.durable) option("durable", std::to_string(*url.durable));
    if (url.prefix != redis_url().prefix) option("prefix", url.prefix);
    option("sentinel_user", url.sentinel_user);
    if (!url.sentinel_password.empty()) out += std::exchange(separator, '&') + std::string("sentinel_password=***");
    return out;
}

}  // namespace taskflux::redis
