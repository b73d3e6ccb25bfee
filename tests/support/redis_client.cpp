#include "redis_client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <utility>

namespace test {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error("redis_client: " + what + ": " + std::strerror(errno));
}

}  // namespace

std::vector<std::string> redis_value::texts() const {
    std::vector<std::string> result;
    for (const redis_value& item : items) result.push_back(item.text);
    return result;
}

std::ostream& operator<<(std::ostream& out, const redis_value& value) {
    switch (value.type) {
        case redis_value::kind::nil: return out << "(nil)";
        case redis_value::kind::text: return out << '"' << value.text << '"';
        case redis_value::kind::integer: return out << "(integer) " << value.text;
        case redis_value::kind::error: return out << "(error) " << value.text;
        case redis_value::kind::list: break;
    }
    out << '[';
    for (std::size_t i = 0; i < value.items.size(); ++i) out << (i == 0 ? "" : ", ") << value.items[i];
    return out << ']';
}

redis_client::redis_client(std::uint16_t port, const std::string& password, std::chrono::milliseconds patience)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) fail("no socket");
    redis_client owner(std::move(*this));  // closes the socket when the rest throws

    const timeval limit{static_cast<time_t>(patience.count() / 1000),
                        static_cast<suseconds_t>(patience.count() % 1000 * 1000)};
    const int on = 1;
    ::setsockopt(owner.socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(owner.socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(owner.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(owner.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("cannot connect to port " + std::to_string(port));
    if (!password.empty()) owner.command({"AUTH", password});
    *this = std::move(owner);
}

redis_client::redis_client(redis_client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), unread_(std::move(other.unread_)) {}

redis_client& redis_client::operator=(redis_client&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(unread_, other.unread_);
    return *this;
}

redis_client::~redis_client() {
    if (socket_ >= 0) ::close(socket_);
}

redis_value redis_client::command(const std::vector<std::string>& words) {
    redis_value reply = try_command(words);
    if (reply.is_error()) throw std::runtime_error(words.front() + ": " + reply.text);
    return reply;
}

redis_value redis_client::try_command(const std::vector<std::string>& words) {
    send(words);
    return receive();
}

void redis_client::send(const std::vector<std::string>& words) {
    std::string request = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    for (std::size_t sent = 0; sent < request.size();) {
        const ssize_t n = ::send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("cannot send");
        sent += static_cast<std::size_t>(n);
    }
}

redis_value redis_client::receive() {
    using kind = redis_value::kind;
    const std::string head = line();
    const std::string rest = head.substr(1);
    switch (head.front()) {
        case '+': return {kind::text, rest, {}};
        case '-': return {kind::error, rest, {}};
        case ':': return {kind::integer, rest, {}};
        case '$': {
            if (rest == "-1") return {};
            redis_value value{kind::text, bytes(std::stoul(rest)), {}};
            bytes(2);
            return value;
        }
        case '*': {
            if (rest == "-1") return {};
            redis_value value{kind::list, {}, {}};
            for (auto count = std::stoul(rest); count > 0; --count) value.items.push_back(receive());
            return value;
        }
        default: throw std::runtime_error("redis_client: not a reply of Redis: " + head);
    }
}

std::string redis_client::line() {
    std::size_t end;
    while ((end = unread_.find("\r\n")) == std::string::npos) read_more();
    std::string result = unread_.substr(0, end);
    unread_.erase(0, end + 2);
    if (result.empty()) throw std::runtime_error("redis_client: an empty line for a reply");
    return result;
}

std::string redis_client::bytes(std::size_t count) {
    while (unread_.size() < count) read_more();
    std::string result = unread_.substr(0, count);
    unread_.erase(0, count);
    return result;
}

void redis_client::read_more() {
    char buffer[16 * 1024];
    ssize_t n;
    do n = ::recv(socket_, buffer, sizeof buffer, 0);
    while (n < 0 && errno == EINTR);
    if (n == 0) throw std::runtime_error("redis_client: the server closed the connection");
    if (n < 0) fail("no reply");
    unread_.append(buffer, static_cast<std::size_t>(n));
}

}  // namespace test
