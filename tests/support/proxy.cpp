#include "proxy.hpp"

#include "redis_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test {

namespace asio = boost::asio;
using asio::ip::tcp;

// Everything but the constructor, the destructor and ask() runs on the thread.
class proxy::core {
public:
    explicit core(std::uint16_t server_port)
        : server_(asio::ip::address_v4::loopback(), server_port),
          self_(asio::ip::address_v4::loopback(), free_port()),
          acceptor_(io_) {
        listen();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~core() {
        io_.stop();
        thread_.join();
    }

    std::uint16_t port() const { return self_.port(); }

    /// Runs it on the thread, and gives what it gives.
    template <class F>
    auto ask(F f) {
        return asio::post(io_, asio::use_future(std::move(f))).get();
    }

    void refuse(bool on) {
        if (on == !acceptor_.is_open()) return;
        if (on)
            acceptor_.close();
        else
            listen();
    }

    void stall(bool on) {
        stalled_ = on;
        if (on) return;
        for (const auto& each : sessions_) {
            asio::co_spawn(io_, flush(each, direction::to_server), asio::detached);
            asio::co_spawn(io_, flush(each, direction::to_client), asio::detached);
        }
    }

    void cut_after(direction way, std::size_t bytes) { cut_ = order{way, bytes}; }
    void cut_all() {
        while (!sessions_.empty()) close(sessions_.back());
    }

    std::size_t accepted() const { return accepted_; }
    std::size_t open() const { return sessions_.size(); }
    std::size_t cuts() const { return cuts_; }
    std::size_t forwarded(direction way) const { return forwarded_[index(way)]; }

private:
    struct order {
        direction way;
        std::size_t bytes;
    };

    // What flows in one direction: read from one socket, held, and written to the other.
    struct flow {
        explicit flow(asio::io_context& io) : from(io) {}

        tcp::socket from;
        std::string held;
        bool writing = false, ended = false;
    };

    struct session {
        explicit session(asio::io_context& io) : flows{flow(io), flow(io)} {}

        flow& of(direction way) { return flows[index(way)]; }
        tcp::socket& target(direction way) { return flows[1 - index(way)].from; }

        std::array<flow, 2> flows;
    };
    using session_ptr = std::shared_ptr<session>;

    static constexpr std::size_t index(direction way) { return way == direction::to_server ? 0 : 1; }
    static constexpr auto token = asio::as_tuple(asio::deferred);

    void listen() {
        acceptor_.open(tcp::v4());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(self_);
        acceptor_.listen();
        asio::co_spawn(io_, accept(++listening_), asio::detached);
    }

    // One such loop for each time that listening began; it ends when its acceptor is closed.
    asio::awaitable<void> accept(std::size_t turn) {
        while (turn == listening_ && acceptor_.is_open()) {
            const auto made = std::make_shared<session>(io_);
            auto [ec] = co_await acceptor_.async_accept(made->of(direction::to_server).from, token);
            if (ec) continue;
            ++accepted_;
            sessions_.push_back(made);
            asio::co_spawn(io_, serve(made), asio::detached);
        }
    }

    asio::awaitable<void> serve(session_ptr made) {
        auto [ec] = co_await made->target(direction::to_server).async_connect(server_, token);
        if (ec) {
            close(made);
            co_return;
        }
        for (flow& each : made->flows) {
            boost::system::error_code ignored;
            each.from.set_option(tcp::no_delay(true), ignored);
        }
        asio::co_spawn(io_, pump(made, direction::to_server), asio::detached);
        asio::co_spawn(io_, pump(made, direction::to_client), asio::detached);
    }

    asio::awaitable<void> pump(session_ptr each, direction way) {
        flow& stream = each->of(way);
        std::array<char, 16 * 1024> buffer;
        while (!stream.ended) {
            auto [ec, count] = co_await stream.from.async_read_some(asio::buffer(buffer), token);
            stream.held.append(buffer.data(), count);
            stream.ended = static_cast<bool>(ec);
            co_await flush(each, way);
        }
    }

    // Writes what is held; where a flush is at it already, that one does.
    asio::awaitable<void> flush(session_ptr each, direction way) {
        flow& stream = each->of(way);
        if (stream.writing) co_return;
        stream.writing = true;
        while (!stalled_ && !stream.held.empty()) {
            std::string chunk = std::exchange(stream.held, {});
            const bool last = take_order(way, chunk);
            auto [ec, count] = co_await asio::async_write(each->target(way), asio::buffer(chunk), token);
            forwarded_[index(way)] += count;
            cuts_ += last;
            if (last || ec) close(each);
        }
        stream.writing = false;
        if (stream.ended && stream.held.empty()) close(each);
    }

    // Whether this is the chunk after which to cut; it is shortened to what may pass.
    bool take_order(direction way, std::string& chunk) {
        if (!cut_ || cut_->way != way) return false;
        if (chunk.size() < cut_->bytes) {
            cut_->bytes -= chunk.size();
            return false;
        }
        chunk.resize(cut_->bytes);
        cut_.reset();
        return true;
    }

    void close(session_ptr each) {
        for (flow& stream : each->flows) {
            boost::system::error_code ignored;
            stream.held.clear();
            stream.from.close(ignored);
        }
        std::erase(sessions_, each);
    }

    asio::io_context io_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    tcp::endpoint server_, self_;
    tcp::acceptor acceptor_;
    std::vector<session_ptr> sessions_;
    std::optional<order> cut_;
    std::array<std::size_t, 2> forwarded_{};
    std::size_t accepted_ = 0, cuts_ = 0, listening_ = 0;
    bool stalled_ = false;
    std::thread thread_;
};

proxy::proxy(std::uint16_t server_port) : core_(std::make_unique<core>(server_port)) {}
proxy::~proxy() = default;

std::uint16_t proxy::port() const { return core_->port(); }

void proxy::cut_after(direction way, std::size_t bytes) {
    core_->ask([=, this] { core_->cut_after(way, bytes); });
}
void proxy::cut() {
    core_->ask([this] { core_->cut_all(); });
}
void proxy::refuse(bool on) {
    core_->ask([=, this] { core_->refuse(on); });
}
void proxy::stall(bool on) {
    core_->ask([=, this] { core_->stall(on); });
}

std::size_t proxy::accepted() const {
    return core_->ask([this] { return core_->accepted(); });
}
std::size_t proxy::open() const {
    return core_->ask([this] { return core_->open(); });
}
std::size_t proxy::cuts() const {
    return core_->ask([this] { return core_->cuts(); });
}
std::size_t proxy::forwarded(direction way) const {
    return core_->ask([=, this] { return core_->forwarded(way); });
}

}  // namespace test
