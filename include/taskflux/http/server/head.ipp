#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/server/head.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/optional/optional.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace taskflux::detail {

inline http::problem bad_request(const std::string& why) {
    http::problem made(400, "this is no request of HTTP/1.1: " + why);
    return made.code("bad_request").closing();
}

inline http::problem head_too_large(unsigned status, const std::string& what, std::size_t limit) {
    http::problem made(status, what + " is longer than " + std::to_string(limit) + " bytes; send less");
    return made.closing();
}

std::size_t empty_lines(std::string_view received) {
    std::size_t size = 0;
    while (size < 4 && received.substr(size).starts_with("\r\n")) size += 2;
    return size;
}

std::size_t find_head(std::string_view received, const head_limits& limits) {
    const auto line = received.find('\n');
    if ((std::min)(line, received.size()) > limits.line) throw head_too_large(414, "the first line of the request", limits.line);
    // Any empty line ends it, also one by LF alone, which `read_head` refuses: not to wait for what does not come.
    const auto strict = received.find("\n\r\n"), loose = received.find("\n\n");
    const auto end = (std::min)(strict == std::string_view::npos ? strict : strict + 3, loose == std::string_view::npos ? loose : loose + 2);
    if ((std::min)(end, received.size()) > limits.whole) throw head_too_large(431, "the head of the request", limits.whole);
    return end == std::string_view::npos ? 0 : end;
}

/// Errors: `problem` for bytes that another server could read as something else.
inline void check_head(std::string_view head) {
    for (std::size_t at = 0; at < head.size(); ++at) {
        const auto byte = static_cast<unsigned char>(head[at]);
        if (byte == '\r') {
            if (at + 1 == head.size() || head[at + 1] != '\n') throw bad_request("it has a CR without LF; end lines with CR LF");
        } else if (byte == '\n') {
            if (at == 0 || head[at - 1] != '\r') throw bad_request("it has a line that ends with LF alone; end lines with CR LF");
            const bool is_folded = at + 1 < head.size() && (head[at + 1] == ' ' || head[at + 1] == '\t');
            if (is_folded) throw bad_request("it has a header that goes on in the next line; send it in one");
        } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            throw bad_request("it has a control character among its headers");
        }
    }
    if (!is_utf8(head)) throw bad_request("its first line or headers are not UTF-8");
}

/// Puts the parts of a message where they belong.
class message_reader::parser final : public boost::beast::http::basic_parser<true> {
public:
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    parser() {
        eager(false);
        body_limit(boost::none);  // the connection counts
        header_limit((std::numeric_limits<std::uint32_t>::max)());  // `find_head` has looked
    }

    http::request* into = nullptr;
    std::string* body = nullptr;
    bool is_continue_expected = false;

private:
    static std::string_view view(string_view text) { return {text.data(), text.size()}; }

    void on_request_impl(boost::beast::http::verb, string_view method, string_view target, int version, error_code&) override {
        into->method = view(method);
        into->target = view(target);
        into->version = static_cast<unsigned>(version);
    }
    void on_response_impl(int, string_view, int, error_code&) override {}
    void on_field_impl(boost::beast::http::field, string_view name, string_view value, error_code&) override {
        into->fields.add(view(name), view(value));
    }
    void on_trailer_field_impl(boost::beast::http::field, string_view, string_view, error_code&) override {}  // nobody asks for them
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view piece, error_code&) override {
        body->append(piece.data(), piece.size());
        return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view extension, error_code& ec) override {
        // Beast lets spaces pass between the size and the extension, where others may read another size.
        if (!extension.empty() && extension.front() != ';') ec = boost::beast::http::error::bad_chunk_extension;
    }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
        body->append(piece.data(), piece.size());
        return piece.size();
    }
    void on_finish_impl(error_code&) override {}
};

message_reader::message_reader() : parser_(std::make_unique<parser>()) {}
message_reader::~message_reader() = default;

/// What is ambiguous, or missing, in headers that were read.
inline void check_fields(const http::request& what) {
    const auto& fields = what.fields;
    for (const char* const name : {"Content-Length", "Transfer-Encoding"}) {
        if (fields.count(name) > 1) throw bad_request(std::string("it has several headers ") + name + "; send one");
    }
    const auto length = fields.find("Content-Length");
    const auto coding = fields.find("Transfer-Encoding");
    if (length && coding) throw bad_request("it has both Content-Length and Transfer-Encoding; send one of them");
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (length && (length->empty() || !std::ranges::all_of(*length, is_digit))) {
        throw bad_request("its Content-Length is " + in_quotes(*length) + "; send one number");
    }
    if (coding && (what.version < 11 || !http::same_word(*coding, "chunked"))) {
        throw bad_request("its Transfer-Encoding is " + in_quotes(*coding) + "; only chunked is possible, in HTTP/1.1");
    }
    const auto hosts = fields.count("Host");
    if (hosts > 1) throw bad_request("it has several headers Host; send one");
    if (hosts == 0 && what.version >= 11) throw bad_request("it has no header Host; send one, which HTTP/1.1 asks for");
    if (fields["Host"].find_first_of(" \t,/@") != std::string_view::npos) {
        throw bad_request("its Host is " + in_quotes(fields["Host"]) + "; send one name, with a port or without");
    }
}

/// What Beast refuses, and what would be right.
inline std::string told(const boost::system::error_code& ec) {
    using boost::beast::http::error;
    if (ec == error::bad_version) return "its version is not HTTP/1.1 or HTTP/1.0";
    if (ec == error::bad_content_length || ec == error::multiple_content_length || ec == error::bad_transfer_encoding) {
        return ec.message() + "; send one Content-Length with one number, or Transfer-Encoding: chunked, and not both";
    }
    return ec.message();
}

void message_reader::read_head(std::string_view head, const head_limits& limits, http::request& into) {
    check_head(head);
    parser_->into = &into;
    boost::system::error_code ec;
    const auto done = parser_->put(asio::buffer(head.data(), head.size()), ec);
    parser_->into = nullptr;
    parser_->header_limit(static_cast<std::uint32_t>(limits.whole));  // from now on: of trailers
    if (into.fields.size() > limits.fields) {
        throw http::problem(431, "the request has more than " + std::to_string(limits.fields) + " headers; send fewer").closing();
    }
    if (ec) throw bad_request(told(ec));
    check_fields(into);
    if (done != head.size() || !parser_->is_header_done()) throw bad_request("its head can't be read");
    const auto expected = into.fields.find("Expect");
    parser_->is_continue_expected = expected && http::same_word(*expected, "100-continue") && into.version >= 11;
    if (expected && !http::same_word(*expected, "100-continue")) {
        throw http::problem(417, "the request expects " + in_quotes(*expected) + "; only 100-continue is possible").closing();
    }
    try {
        into.split_target();
    } catch (http::problem& e) {
        throw e.closing();
    }
}

std::size_t message_reader::read_body(std::string_view received, std::string& out) {
    parser_->body = &out;
    std::size_t done = 0;
    while (!parser_->is_done() && done < received.size()) {
        boost::system::error_code ec;
        done += parser_->put(asio::buffer(received.data() + done, received.size() - done), ec);
        if (ec == boost::beast::http::error::need_more) break;
        if (ec) throw bad_request("its body can't be read: " + ec.message());
    }
    return done;
}

bool message_reader::is_done() const { return parser_->is_done(); }

std::optional<std::uint64_t> message_reader::content_length() const {
    if (parser_->chunked()) return std::nullopt;
    const auto length = parser_->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

bool message_reader::keeps_alive() const { return parser_->keep_alive(); }

bool message_reader::expects_continue() const { return parser_->is_continue_expected; }

}  // namespace taskflux::detail
