#pragma once

#include <taskflux/http/headers.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/server/answer_head.hpp>

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/zlib.hpp>
#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <string>
#include <variant>

namespace taskflux::detail {

answer_framing framing_of(const http::response& what, const http::request& to, bool keeps_alive) {
    answer_framing made;
    made.keeps_alive = keeps_alive;
    const auto status = what.status();
    const bool is_empty = status < 200 || status == 204 || status == 304;
    made.has_body = !is_empty && to.method != "HEAD";
    if (is_empty) return made;
    if (const auto* text = std::get_if<std::string>(&what.body())) {
        made.length = text->size();
    } else if (const auto* file = std::get_if<http::response::file>(&what.body())) {
        made.length = file->size();
    } else if (to.version >= 11) {
        made.is_chunked = true;
    } else {
        made.keeps_alive = made.keeps_alive && !made.has_body;  // the end of the connection is the end of the body
    }
    return made;
}

std::string http_date(time_point when) {
    using namespace std::chrono;
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<std::chrono::days>(when);
    const year_month_day date(day);
    const auto second = floor<seconds>(when - day).count();
    const auto two = [](auto number) { return std::to_string(100 + number).substr(1); };
    std::string text = days[weekday(day).c_encoding()];
    text += ", " + two(static_cast<unsigned>(date.day())) + ' ' + months[static_cast<unsigned>(date.month()) - 1] + ' ';
    text += std::to_string(static_cast<int>(date.year())) + ' ' + two(second / 3600) + ':' + two(second / 60 % 60) + ':';
    return text += two(second % 60) + " GMT";
}

std::string head_text(const http::response& what, const answer_framing& how, const http::request& to, time_point now) {
    std::string text;
    text.reserve(512);
    text.append("HTTP/1.1 ").append(std::to_string(what.status())).append(1, ' ').append(http::reason_of(what.status()));
    text.append("\r\nDate: ").append(http_date(now));
    const auto& fields = what.fields();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto name = fields.name(i);
        const bool is_framing = http::same_word(name, "Content-Length") || http::same_word(name, "Transfer-Encoding") ||
                                http::same_word(name, "Connection") || http::same_word(name, "Date");
        if (!is_framing) text.append("\r\n").append(name).append(": ").append(fields.value(i));
    }
    if (how.length) text.append("\r\nContent-Length: ").append(std::to_string(*how.length));
    if (how.is_chunked) text.append("\r\nTransfer-Encoding: chunked");
    if (!how.keeps_alive) text.append("\r\nConnection: close");
    else if (to.version < 11) text.append("\r\nConnection: keep-alive");
    return text.append("\r\n\r\n");
}

std::string chunk_head(std::size_t size) {
    std::array<char, 20> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), size, 16).ptr;
    return std::string(text.data(), end).append("\r\n");
}

bool is_worth_compressing(const http::response& what) {
    constexpr std::size_t worth = 1024;
    if (what.text().size() <= worth || what.fields().contains("Content-Encoding")) return false;
    const auto whole = what.fields()["Content-Type"];
    const auto type = whole.substr(0, whole.find(';'));
    return type.starts_with("text/") || type.ends_with("json") || type.ends_with("xml") || type.ends_with("javascript");
}

bool takes_gzip(const http::request& asked) {
    const auto& fields = asked.fields;
    bool is_any_taken = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!http::same_word(fields.name(i), "Accept-Encoding")) continue;
        auto rest = fields.value(i);
        while (!rest.empty()) {
            const auto comma = (std::min)(rest.find(','), rest.size());
            const auto item = rest.substr(0, comma);
            rest.remove_prefix((std::min)(comma + 1, rest.size()));
            const auto name = trimmed(item.substr(0, item.find(';')));
            const auto weight = item.find("q=");
            const bool is_refused =
                weight != std::string_view::npos && trimmed(item.substr(weight + 2)).find_first_not_of("0.") == std::string_view::npos;
            if (http::same_word(name, "gzip")) return !is_refused;
            if (name == "*") is_any_taken = !is_refused;
        }
    }
    return is_any_taken;
}

std::string gzip(std::string_view text) {
    namespace zlib = boost::beast::zlib;
    const auto little_endian = [](std::uint32_t number) {
        std::string bytes;
        for (int i = 0; i < 4; ++i, number >>= 8) bytes += static_cast<char>(number & 0xff);
        return bytes;
    };
    constexpr int level = 6, window_bits = 15, memory = 8;
    zlib::deflate_stream stream;
    stream.reset(level, window_bits, memory, zlib::Strategy::normal);
    std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);  // RFC 1952, 2.3: deflate, no name, no time, unknown system
    const auto begin = out.size();
    out.resize(begin + stream.upper_bound(text.size()) + 16);
    zlib::z_params io;
    io.next_in = text.data();
    io.avail_in = text.size();
    io.next_out = out.data() + begin;
    io.avail_out = out.size() - begin;
    boost::system::error_code ec;
    stream.write(io, zlib::Flush::finish, ec);  // ends with end_of_stream: there is room for all
    out.resize(begin + io.total_out);
    boost::crc_32_type sum;
    sum.process_bytes(text.data(), text.size());
    return out.append(little_endian(sum.checksum())).append(little_endian(static_cast<std::uint32_t>(text.size())));
}

}  // namespace taskflux::detail
