#pragma once

#include <taskflux/http/server/connection.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace taskflux::detail {

inline constexpr std::size_t skip_piece = 16 * 1024;
inline constexpr std::size_t write_piece = 256 * 1024;  // bytes that have a time limit of their own

void http_connection::throw_lost() {
    throw boost::system::system_error(asio::error::operation_aborted, "the client's connection is lost");
}

/// Writes a streamed body: in chunks, or, for HTTP/1.0, as it is.
class http_connection::piece_writer final : public http::body_writer {
public:
    piece_writer(http_connection& to, bool is_chunked, std::uint64_t& sent) : to_(to), is_chunked_(is_chunked), sent_(sent) {}

    asio::awaitable<void> write(std::string piece) override {
        if (piece.empty()) co_return;
        sent_ += piece.size();
        const std::string front = is_chunked_ ? chunk_head(piece.size()) : std::string();
        if (is_chunked_) piece += "\r\n";
        co_await to_.write(front, piece);
    }

private:
    http_connection& to_;
    const bool is_chunked_;
    std::uint64_t& sent_;
};

asio::awaitable<void> http_connection::write(std::string_view first, std::string_view second) {
    limit_time(common_->limits.write_time());
    do {
        const auto part = second.substr(0, write_piece);
        const std::array<asio::const_buffer, 2> pieces{asio::buffer(first.data(), first.size()), asio::buffer(part.data(), part.size())};
        boost::system::error_code ec;
        co_await stream_->write(pieces, ec);
        if (ec) {
            no_time_limit();
            is_lost_ = true;
            throw_lost();
        }
        first = {};
        second.remove_prefix(part.size());
        limit_time(common_->limits.write_time());
    } while (!second.empty());
    no_time_limit();
}

asio::awaitable<bool> http_connection::send(http::response& what, const http::request& to, std::uint64_t& sent) {
    phase_ = phase::sending;
    auto* text = std::get_if<std::string>(&what.body());
    if (text && is_worth_compressing(what)) {
        what.fields().add("Vary", "Accept-Encoding");
        if (takes_gzip(to)) {
            *text = gzip(*text);
            what.header("Content-Encoding", "gzip");
            const std::string tag(what.fields()["ETag"]);
            if (tag.starts_with('"')) what.header("ETag", "W/" + tag);  // the same content in other bytes
        }
    }
    const bool keeps = reader_ && !is_ending_ && !common_->ending->has_begun() && reader_->keeps_alive() && is_rest_short() &&
                       !http::same_word(what.fields()["Connection"], "close");
    const auto how = framing_of(what, to, keeps);
    const auto head = head_text(what, how, to, common_->clock.wall());
    const std::string_view body = how.has_body && text ? std::string_view(*text) : std::string_view();
    co_await write(head, body);
    sent += body.size();
    if (how.has_body && !text) co_await send_body(what, sent, how.is_chunked);
    co_return how.keeps_alive;
}

asio::awaitable<void> http_connection::send_body(http::response& what, std::uint64_t& sent, bool is_chunked) {
    if (const auto* file = std::get_if<http::response::file>(&what.body())) {
        co_await send_file(*file, sent);
        co_return;
    }
    phase_ = phase::handling;
    handling_since_ = common_->clock.now().time_since_epoch().count();  // a stream may wait: is its reader there?
    piece_writer to(*this, is_chunked, sent);
    auto work = std::get<http::response::producer>(what.body())(to);
    co_await std::move(work);
    handling_since_ = never_rep;
    phase_ = phase::sending;
    if (is_chunked) co_await write("0\r\n\r\n", "");
}

asio::awaitable<void> http_connection::send_file(const http::response::file& which, std::uint64_t& sent) {
    std::ifstream from(which.path(), std::ios::binary);
    from.seekg(static_cast<std::streamoff>(which.begin()));
    std::string piece;
    for (auto left = which.size(); left > 0; left -= piece.size()) {
        piece.resize(static_cast<std::size_t>((std::min)(left, std::uint64_t(write_piece))));
        from.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        if (from.gcount() != static_cast<std::streamsize>(piece.size())) {
            throw std::runtime_error("the file " + which.path() + " has become shorter while it was sent, or can't be read");
        }
        co_await write(piece, "");
        sent += piece.size();
    }
}

bool http_connection::may_more_come() {
    boost::system::error_code ec;
    return buffer_.size() > 0 || (reader_ && !reader_->is_done()) || stream_->socket().available(ec) > 0;
}

asio::awaitable<void> http_connection::say_goodbye() {
    phase_ = phase::closing;
    if (!is_lost_) {
        const bool may_come = may_more_come();
        boost::system::error_code ec;
        constexpr auto patience = std::chrono::seconds(2);
        limit_time(patience);
        co_await stream_->finish(ec);
        // What the client still sends is read: an unread rest would make the system reset the connection, and the answer be lost.
        for (std::size_t most = may_come ? 256 : 0; !ec && most > 0; --most) {
            buffer_.clear();
            const bool is_more = co_await receive(skip_piece);
            if (!is_more) break;
        }
        no_time_limit();
    }
    stream_->close();
}

}  // namespace taskflux::detail
