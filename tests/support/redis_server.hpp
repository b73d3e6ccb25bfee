#pragma once

#include "redis_client.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// A port of the loopback interface that nothing listens on, outside the range of outgoing connections, so that
/// a server that is started again finds its port free.
std::uint16_t free_port();

/// Asks until it holds, every few milliseconds; false when it does not within the hang limit.
bool eventually(const std::function<bool()>& holds);

class redis_server_options {
public:
    redis_server_options();

    /// What to run; default $TASKFLUX_REDIS_SERVER, else redis-server.
    redis_server_options& executable(std::string value) { executable_ = std::move(value); return *this; }
    /// More words of the command line, such as {"--appendonly", "yes"}. They win over the defaults, which are
    /// loopback only and nothing saved to disk.
    redis_server_options& words(std::vector<std::string> value);
    /// What it has answered is there when it is started again after a kill. It is written to a file before it is answered, and
    /// not to the disk, on which only the end of the machine depends: so no answer waits for a disk that others keep busy.
    redis_server_options& append_only() { return words({"--appendonly", "yes", "--appendfsync", "no"}); }
    redis_server_options& password(std::string value) { password_ = std::move(value); return *this; }
    const std::string& password() const { return password_; }
    /// Listens on socket_path() too.
    redis_server_options& unix_socket() { unix_socket_ = true; return *this; }
    /// A cluster of one node that owns all slots. Redis takes two seconds of its clock to start such a node: a
    /// clock that can be moved is moved by a few seconds then.
    redis_server_options& cluster() { cluster_ = true; return *this; }
    /// A clock that advance() can move.
    redis_server_options& movable_clock() { movable_clock_ = true; return *this; }
    /// A clock that only advance() moves.
    redis_server_options& frozen_clock() { movable_clock_ = true; frozen_clock_ = "frozen"; return *this; }
    /// A clock that moves on while the server computes, and by advance(). What the server measures, as in SLOWLOG,
    /// then is processor time, whatever else the machine does.
    redis_server_options& cpu_clock() { movable_clock_ = true; frozen_clock_ = "cpu"; return *this; }
    /// The content of a configuration file, which the server may rewrite; implies such a file. Default none.
    redis_server_options& config(std::string value) { config_ = std::move(value); return *this; }

private:
    friend class redis_server;

    std::string executable_, password_, config_, frozen_clock_;
    std::vector<std::string> words_;
    bool unix_socket_ = false, cluster_ = false, movable_clock_ = false;
};

/// A real server in a process of its own, on a free loopback port, in a temporary directory that goes with it.
/// The process dies with the thread that started it, however that ends: construct and restart() on a thread
/// that lives as long as the test. When it dies unasked its log is shown. Use by one thread.
class redis_server {
public:
    /// Returns when the server answers; throws std::runtime_error with its log when it doesn't start.
    explicit redis_server(redis_server_options options = redis_server_options());
    ~redis_server();
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;

    std::uint16_t port() const { return port_; }
    /// redis://[:password@]127.0.0.1:port
    std::string url() const;
    std::filesystem::path socket_path() const { return directory_ / "redis.sock"; }
    const std::filesystem::path& directory() const { return directory_; }
    pid_t pid() const { return pid_; }
    bool running();
    std::string log() const;

    void kill();     ///< kill -9; returns when it is dead. Nothing happens where it is not running.
    void stop();     ///< SIGTERM, so that it saves what it is told to; returns when it has ended.
    void start();    ///< After kill() or stop(): on the same port and directory.
    void restart();  ///< stop() and start().
    void suspend();  ///< SIGSTOP; returns when it stands still.
    void resume();

    /// The reply to a command, over a connection of its own (so WAIT and the like need connect()); throws
    /// std::runtime_error on an error reply and when the server is not there.
    redis_value command(const std::vector<std::string>& words);
    redis_client connect() const { return redis_client(port_, options_.password_); }

    /// Moves the server's clock on (or back); needs movable_clock(). It keeps its offset over restarts.
    void advance(std::chrono::milliseconds by);

private:
    class clock;

    std::vector<std::string> command_line() const;
    std::vector<std::string> environment() const;
    void launch();
    bool answers() const;
    void claim_all_slots();
    void end(int signal);

    redis_server_options options_;
    std::filesystem::path directory_;
    std::filesystem::path program_;
    std::unique_ptr<clock> clock_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
};

}  // namespace test
