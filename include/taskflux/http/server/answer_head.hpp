#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/response.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// How an answer is sent.
struct answer_framing {
    bool keeps_alive = true;
    bool has_body = true;                 ///< else none is sent: to HEAD, and with a status that has none
    bool is_chunked = false;
    std::optional<std::uint64_t> length;  ///< nothing: chunked, or until the end of the connection
};

/// How the answer to a request is framed. `keeps_alive`: whether the connection may be used again otherwise.
answer_framing framing_of(const http::response& what, const http::request& to, bool keeps_alive);

/// First line and headers of an answer, with the empty line. Headers of the response that frame it are left out: they are made
/// here. `now`: by the wall clock.
std::string head_text(const http::response& what, const answer_framing& how, const http::request& to, time_point now);

/// `Sun, 06 Nov 1994 08:49:37 GMT`, RFC 9110, 5.6.7.
std::string http_date(time_point when);

/// The beginning of a chunk.
std::string chunk_head(std::size_t size);

/// Whether an answer's body may be sent compressed: a text of more than 1 KiB of a type for which that is worth it.
bool is_worth_compressing(const http::response& what);

/// Whether a client takes gzip: `Accept-Encoding` names it, or all, and not with `q=0`.
bool takes_gzip(const http::request& asked);

/// `text` in gzip's form, RFC 1952. About 300 KiB of memory while it runs.
std::string gzip(std::string_view text);

}  // namespace taskflux::detail
