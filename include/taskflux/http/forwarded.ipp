#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/forwarded.hpp>
#include <taskflux/http/syntax/address.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace taskflux::http {

namespace syntax {

inline std::optional<boost::asio::ip::address> read_address(std::string_view text) {
    boost::system::error_code ec;
    const auto read = boost::asio::ip::make_address(std::string(text), ec);
    return ec ? std::nullopt : std::optional(plain_address(read));
}

/// Whether the first `count` bits are the same.
template <class Bytes>
bool same_bits(const Bytes& one, const Bytes& other, unsigned count) {
    for (std::size_t i = 0; i < one.size() && count > 0; ++i) {
        const auto bits = (std::min)(count, 8U);
        const auto mask = static_cast<unsigned>(0xFF00U >> bits) & 0xFFU;
        if (((one[i] ^ other[i]) & mask) != 0) return false;
        count -= bits;
    }
    return true;
}

inline bool same_network(const boost::asio::ip::address& one, const boost::asio::ip::address& other, unsigned prefix) {
    if (one.is_v4() != other.is_v4()) return false;
    return one.is_v4() ? same_bits(one.to_v4().to_bytes(), other.to_v4().to_bytes(), prefix)
                       : same_bits(one.to_v6().to_bytes(), other.to_v6().to_bytes(), prefix);
}

/// Whether no bit behind the prefix is set.
template <class Bytes>
bool ends_at(const Bytes& bytes, unsigned prefix) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto before = static_cast<unsigned>(8 * i);
        const auto kept = prefix <= before ? 0U : (std::min)(prefix - before, 8U);
        if ((bytes[i] & (0xFFU >> kept)) != 0) return false;
    }
    return true;
}

/// An entry of X-Forwarded-For: an address, perhaps in brackets or with a port.
inline std::optional<boost::asio::ip::address> forwarded_address(std::string_view entry) {
    if (entry.starts_with('[')) {
        const auto end = entry.find(']');
        return end == std::string_view::npos ? std::nullopt : read_address(entry.substr(1, end - 1));
    }
    const auto colon = entry.find(':');
    const bool has_port = colon != std::string_view::npos && entry.find(':', colon + 1) == std::string_view::npos;
    return read_address(has_port ? entry.substr(0, colon) : entry);
}

/// The last member of a list by commas, which loses it; trimmed.
inline std::string_view take_last(std::string_view& list) {
    const auto comma = list.rfind(',');
    const auto last = trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
    return last;
}

}  // namespace syntax

proxies::proxies(std::span<const std::string> ranges) {
    for (const auto& text : ranges) {
        const auto refuse = [&] {
            return error(errc::invalid_argument,
                         "not a proxy's address or range of addresses: " + taskflux::detail::in_quotes(text) +
                             "; write it as 10.0.0.1, 10.0.0.0/8 or fd00::/8");
        };
        const auto slash = text.find('/');
        const auto address = syntax::read_address(std::string_view(text).substr(0, slash));
        if (!address) throw refuse();
        const unsigned size = address->is_v4() ? 32 : 128;
        unsigned prefix = size;
        if (slash != std::string::npos) {
            const char* const end = text.data() + text.size();
            const auto [read, ec] = std::from_chars(text.data() + slash + 1, end, prefix);
            if (ec != std::errc() || read != end || prefix > size) throw refuse();
        }
        const bool is_first = address->is_v4() ? syntax::ends_at(address->to_v4().to_bytes(), prefix)
                                               : syntax::ends_at(address->to_v6().to_bytes(), prefix);
        if (!is_first) throw refuse();
        ranges_.push_back({*address, prefix});
    }
}

bool proxies::contains(const boost::asio::ip::address& one) const {
    const auto plain = syntax::plain_address(one);
    return std::ranges::any_of(ranges_, [&](const range& each) { return syntax::same_network(each.first, plain, each.prefix); });
}

client_origin origin_of(const boost::asio::ip::address& peer, bool is_tls, std::string_view host, const forwarded_fields& fields,
                        const proxies& believed) {
    client_origin made{syntax::plain_address(peer), is_tls, std::string(host)};
    if (!believed.contains(peer)) return made;
    for (auto list = fields.for_.value_or(""); !list.empty() && believed.contains(made.address);) {
        const auto entry = syntax::forwarded_address(syntax::take_last(list));
        if (!entry) break;
        made.address = *entry;
    }
    if (auto list = fields.proto.value_or(""); !list.empty()) {
        const auto scheme = syntax::take_last(list);
        if (syntax::same_word(scheme, "https")) made.is_https = true;
        if (syntax::same_word(scheme, "http")) made.is_https = false;
    }
    if (auto list = fields.host.value_or(""); !list.empty()) {
        const auto named = syntax::take_last(list);
        if (!named.empty()) made.host = named;
    }
    return made;
}

}  // namespace taskflux::http
