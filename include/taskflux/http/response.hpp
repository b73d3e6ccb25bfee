#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/headers.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace taskflux::http {

/// Where a streamed body is written. For one coroutine, while it runs.
class body_writer {
public:
    virtual ~body_writer() = default;

    /// Sends a piece, and returns when it is in the hands of the operating system: a slow reader slows the writer down. An empty
    /// piece sends nothing. Errors: `operation_aborted` once the client is gone, or reads nothing for too long.
    virtual asio::awaitable<void> write(std::string piece) = 0;
};

/// What an answer consists of: a status, headers, and a body, which is a text, a file, or streamed. A value.
class response {
public:
    /// Writes a body piece by piece; the writer is there until it has returned. When it throws, the connection is closed, so that
    /// the client sees that the body is not whole.
    using producer = std::function<asio::awaitable<void>(body_writer&)>;

    /// Bytes of a file, read while they are sent.
    class file {
    public:
        file(std::string path, std::uint64_t begin, std::uint64_t size) : path_(std::move(path)), begin_(begin), size_(size) {}
        const std::string& path() const { return path_; }
        std::uint64_t begin() const { return begin_; }
        std::uint64_t size() const { return size_; }

    private:
        std::string path_;
        std::uint64_t begin_, size_;
    };

    using body_type = std::variant<std::string, producer, file>;

    /// Without a body.
    explicit response(unsigned status = 204) : status_(status) {}

    /// A text, which is sent compressed where its type is one of texts and the client takes that.
    response(unsigned status, std::string_view type, std::string text) : status_(status), body_(std::move(text)) {
        fields_.add("Content-Type", type);
    }

    /// A value as JSON.
    template <class T>
    static response json(unsigned status, const T& value) {
        return response(status, "application/json", encode(value));
    }

    /// A body that `write` makes, of a length that is not known before.
    static response stream(unsigned status, std::string_view type, producer write) {
        response made(status);
        made.fields_.add("Content-Type", type);
        made.body_ = std::move(write);
        return made;
    }

    /// `size` bytes of a file from `begin` on. The file must not shrink while it is sent.
    static response bytes_of(unsigned status, std::string_view type, file which) {
        response made(status);
        made.fields_.add("Content-Type", type);
        made.body_ = std::move(which);
        return made;
    }

    response& header(std::string_view name, std::string_view value) { return fields_.set(name, value), *this; }

    unsigned status() const { return status_; }
    headers& fields() { return fields_; }
    const headers& fields() const { return fields_; }
    body_type& body() { return body_; }
    const body_type& body() const { return body_; }

    /// The body of an answer that is a text; empty for others.
    std::string_view text() const {
        const auto* held = std::get_if<std::string>(&body_);
        return held ? std::string_view(*held) : std::string_view();
    }

private:
    unsigned status_;
    headers fields_;
    body_type body_;
};

/// A value with a status and headers, for handlers whose answer is not 200.
template <class T>
class reply {
public:
    reply(unsigned status, T value) : status_(status), value_(std::move(value)) {}

    reply& header(std::string_view name, std::string_view value) { return fields_.set(name, value), *this; }

    unsigned status() const { return status_; }
    const T& value() const { return value_; }
    const headers& fields() const { return fields_; }

private:
    unsigned status_;
    T value_;
    headers fields_;
};

}  // namespace taskflux::http
