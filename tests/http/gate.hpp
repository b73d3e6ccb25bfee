#pragma once

#include <taskflux/broker/memory.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/http.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace http_test {

namespace asio = boost::asio;
namespace http = taskflux::http;
using tcp = asio::ip::tcp;

/// A client that speaks bytes, on the test's own thread.
class wire {
public:
    explicit wire(std::uint16_t port) : socket_(context_) {
        socket_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    }

    wire& send(std::string_view bytes) {
        boost::system::error_code ec;  // a server that has refused may have closed
        asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ec);
        return *this;
    }

    /// One answer, head and body; what follows stays. Empty where the connection has ended.
    std::string answer(bool has_body = true) {
        while (received_.find("\r\n\r\n") == std::string::npos) {
            if (!receive()) return std::exchange(received_, std::string());
        }
        const auto head = received_.find("\r\n\r\n") + 4;
        const auto length = header(received_.substr(0, head), "Content-Length");
        std::size_t size = head;
        if (has_body && !length.empty()) size += std::stoul(length);
        if (has_body && received_.substr(0, head).find("chunked") != std::string::npos) {
            while (received_.find("\r\n0\r\n\r\n") == std::string::npos) {
                if (!receive()) break;
            }
            size = (std::min)(received_.size(), received_.find("\r\n0\r\n\r\n") + 7);
        }
        while (received_.size() < size && receive()) {}
        const auto one = received_.substr(0, size);
        received_.erase(0, size);
        return one;
    }

    /// All until the connection ends.
    std::string rest() {
        while (receive()) {}
        return std::exchange(received_, std::string());
    }

    std::string ask(std::string_view bytes) { return send(bytes).answer(); }

    void finish() { socket_.shutdown(tcp::socket::shutdown_send); }
    void close() { socket_.close(); }
    tcp::socket& socket() { return socket_; }

    static std::string header(const std::string& head, const std::string& name) {
        const auto at = head.find("\r\n" + name + ": ");
        if (at == std::string::npos) return {};
        const auto from = at + name.size() + 4;
        return head.substr(from, head.find("\r\n", from) - from);
    }

private:
    bool receive() {
        char piece[4096];
        boost::system::error_code ec;
        const auto size = socket_.read_some(asio::buffer(piece), ec);
        received_.append(piece, size);
        return !ec;
    }

    asio::io_context context_;
    tcp::socket socket_;
    std::string received_;
};

inline unsigned status(const std::string& answer) {
    return answer.size() > 12 ? static_cast<unsigned>(std::stoul(answer.substr(9, 3))) : 0;
}

inline std::string body(const std::string& answer) {
    const auto end = answer.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

inline std::string get(std::string_view path, std::string_view more = {}) {
    return std::string("GET ").append(path).append(" HTTP/1.1\r\nHost: x\r\n").append(more).append("\r\n");
}

inline std::string post(std::string_view path, std::string_view text, std::string_view more = {}) {
    return std::string("POST ").append(path).append(" HTTP/1.1\r\nHost: x\r\nContent-Length: ").append(std::to_string(text.size())).append("\r\n").append(more).append("\r\n").append(text);
}

/// A clock that stands still, for a base in front of `gate`, which goes by it.
struct still_clock {
    taskflux::manual_clock clock;
};

/// A gateway on a broker in memory, on a thread of its own.
class gate {
public:
    explicit gate(taskflux::gateway_options options = taskflux::gateway_options(), taskflux::clock& clock = taskflux::real_clock())
        : broker(taskflux::make_memory_broker(context.get_executor(), taskflux::memory_options(), clock)),
          gateway(broker, options.listen("127.0.0.1", 0).log(log())) {}
    ~gate() { end(); }

    void begin() {
        gateway.listen();
        asio::co_spawn(context, gateway.run(), [this](std::exception_ptr error) {
            failure = error;
            has_ended = true;
        });
        thread = std::thread([this] { context.run(); });
    }

    void end() {
        gateway.stop();
        if (thread.joinable()) thread.join();
    }

    /// Moves time on, where it stands still, on the thread of what waits.
    void advance(taskflux::manual_clock& clock, taskflux::duration by) {
        std::promise<void> done;
        asio::post(context, [&] {
            clock.advance(by);
            done.set_value();
        });
        done.get_future().wait();
    }

    /// Moves time on in steps of 250 ms until `what` has come; returns how much it was.
    template <class T>
    taskflux::duration advance_until(taskflux::manual_clock& clock, std::future<T>& what) {
        using namespace std::chrono_literals;
        const auto began = clock.now();
        while (what.wait_for(1ms) != std::future_status::ready) advance(clock, 250ms);
        return clock.now() - began;
    }

    wire connect() { return wire(gateway.port()); }

    std::string ask(std::string_view bytes) { return connect().ask(bytes); }

    taskflux::log_sink log() {
        return [this](const taskflux::log_line& line, const taskflux::task_id*) {
            const std::lock_guard lock(mutex);
            lines.push_back(line);
        };
    }

    std::vector<taskflux::log_line> said() {
        const std::lock_guard lock(mutex);
        return lines;
    }

    std::mutex mutex;
    std::vector<taskflux::log_line> lines;  // guarded by mutex
    asio::io_context context;
    taskflux::broker_ptr broker;
    taskflux::gateway gateway;
    std::thread thread;
    std::exception_ptr failure;
    bool has_ended = false;  // read after `end`
};

}  // namespace http_test
