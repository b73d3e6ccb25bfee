#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/request.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// How much of a request's head is taken.
struct head_limits {
    std::size_t line = 8 * 1024;   ///< bytes of the first line
    std::size_t whole = 16 * 1024; ///< bytes of first line and headers
    std::size_t fields = 100;      ///< headers
};

/// The bytes at the front of what a connection has received that are a request's head: from its first line to the empty one. 0:
/// more must come. Errors: `problem` 414 or 431, closing, for one beyond the limits.
std::size_t find_head(std::string_view received, const head_limits& limits);

/// Empty lines in front of a request, which some clients send behind the body before. Up to two of them.
std::size_t empty_lines(std::string_view received);

/// Reads one request: its head, then its body, out of pieces as they come. By Boost.Beast's parser, behind checks of our own that
/// leave nothing to interpretation: what two servers could read as two different requests is refused. Without I/O.
class message_reader {
public:
    message_reader();
    ~message_reader();
    message_reader(const message_reader&) = delete;
    message_reader& operator=(const message_reader&) = delete;

    /// Reads a whole head, as `find_head` delimits it, into a request, whose target is split. Errors: `problem` 400, closing: line
    /// ends that are not CR LF, folded headers, control characters, not UTF-8, no or several `Host`, several `Content-Length` or
    /// `Transfer-Encoding`, both of them, one that is not understood, another version of HTTP than 1.0 and 1.1, a target that
    /// can't be read; 431 for too many headers. The request is filled as far as it was understood.
    void read_head(std::string_view head, const head_limits& limits, http::request& into);

    /// Reads of the body what it can, appends it to `out`, and returns how many bytes of `received` are done with; the rest is to
    /// be given again, with what follows. Errors: `problem` 400, closing, for a broken chunk.
    std::size_t read_body(std::string_view received, std::string& out);

    /// Whether the request is read to its end.
    bool is_done() const;

    /// The body's size where it is known before.
    std::optional<std::uint64_t> content_length() const;

    /// Whether the client lets the connection be used again.
    bool keeps_alive() const;

    /// Whether the client waits for `100 Continue` before it sends the body.
    bool expects_continue() const;

private:
    class parser;
    std::unique_ptr<parser> parser_;
};

}  // namespace taskflux::detail
