#pragma once

#include "hang_limit.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// A reply of a Redis server (RESP 2), as plain as tests need it.
struct redis_value {
    enum class kind { nil, text, integer, error, list };

    kind type = kind::nil;
    std::string text;                // of a text, an integer or an error
    std::vector<redis_value> items;  // of a list

    bool is_nil() const { return type == kind::nil; }
    bool is_error() const { return type == kind::error; }
    /// The number that the text spells; throws where it spells none.
    std::int64_t integer() const { return std::stoll(text); }
    std::vector<std::string> texts() const;

    friend bool operator==(const redis_value& value, std::string_view expected) { return value.text == expected; }
    /// How redis-cli would show it, for messages of tests.
    friend std::ostream& operator<<(std::ostream& out, const redis_value& value);
};

/// A blocking connection to a server on this machine, for tests and their fixtures. Every call ends within
/// `patience`; throws std::runtime_error when it doesn't or the connection is lost. Use by one thread.
class redis_client {
public:
    /// Connects, and authenticates where a password is given.
    explicit redis_client(std::uint16_t port, const std::string& password = {},
                          std::chrono::milliseconds patience = hang_limit);
    redis_client(redis_client&& other) noexcept;
    redis_client& operator=(redis_client&& other) noexcept;
    ~redis_client();

    /// Sends a command and gives its reply; an error reply is thrown as std::runtime_error.
    redis_value command(const std::vector<std::string>& words);

    /// Like `command`, but returns an error reply.
    redis_value try_command(const std::vector<std::string>& words);

    void send(const std::vector<std::string>& words);
    redis_value receive();

private:
    std::string line();
    std::string bytes(std::size_t count);
    void read_more();

    int socket_ = -1;
    std::string unread_;
};

}  // namespace test
