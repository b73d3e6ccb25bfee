#pragma once

// A Redis server of a benchmark's own, and what it says about itself.

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

namespace asio = boost::asio;

/// What a server has done since it started.
struct server_load {
    double cpu_us = 0;              ///< of its main thread, user and system
    std::uint64_t commands = 0;     ///< those that scripts call too; without the INFO calls that ask for this
    std::uint64_t script_calls = 0;

    friend server_load operator-(const server_load& now, const server_load& before) {
        return {now.cpu_us - before.cpu_us, now.commands - before.commands, now.script_calls - before.script_calls};
    }
};

/// Asks a server on this machine, blocking. Every reply but an array is understood.
class server_probe {
public:
    explicit server_probe(std::uint16_t port) : socket_(io_) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        socket_.set_option(asio::ip::tcp::no_delay(true));
    }

    std::string command(const std::vector<std::string>& words) {
        std::string text = "*" + std::to_string(words.size()) + "\r\n";
        for (const auto& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
        asio::write(socket_, asio::buffer(text));
        auto head = line();
        if (head.front() == '-') throw std::runtime_error("Redis: " + head.substr(1));
        if (head.front() != '$') return head.substr(1);
        const auto size = std::stoll(head.substr(1));
        if (size < 0) return {};
        const auto whole = static_cast<std::size_t>(size) + 2;
        if (unread_.size() < whole) {
            asio::read(socket_, asio::dynamic_buffer(unread_), asio::transfer_exactly(whole - unread_.size()));
        }
        auto body = unread_.substr(0, whole - 2);
        unread_.erase(0, whole);
        return body;
    }

    double cpu_us() {
        const auto info = command({"INFO", "cpu"});
        return 1e6 * (field(info, "used_cpu_user_main_thread:") + field(info, "used_cpu_sys_main_thread:"));
    }

    server_load load() {
        server_load now;
        now.cpu_us = cpu_us();
        std::istringstream info(command({"INFO", "commandstats"}));
        for (std::string one; std::getline(info, one);) {
            const auto calls = one.find(":calls=");
            if (calls == one.npos || one.starts_with("cmdstat_info:")) continue;
            const auto count = std::stoull(one.substr(calls + 7));
            now.commands += count;
            if (one.starts_with("cmdstat_eval")) now.script_calls += count;
        }
        return now;
    }

    /// Its process id.
    pid_t process() { return static_cast<pid_t>(field(command({"INFO", "server"}), "process_id:")); }

    double used_memory() { return field(command({"INFO", "memory"}), "used_memory:"); }

private:
    static double field(const std::string& info, const std::string& name) {
        const auto at = info.find(name);
        if (at == info.npos) throw std::runtime_error("this Redis server does not say " + name);
        return std::stod(info.substr(at + name.size()));
    }

    std::string line() {
        const auto size = asio::read_until(socket_, asio::dynamic_buffer(unread_), "\r\n");
        auto text = unread_.substr(0, size - 2);
        unread_.erase(0, size);
        return text;
    }

    asio::io_context io_;
    asio::ip::tcp::socket socket_;
    std::string unread_;
};

/// A server on a free port of the loopback interface, in a temporary directory. Ends with this object, or with the process.
class redis_server {
public:
    enum class persistence { none, append_only };

    explicit redis_server(persistence kept = persistence::none) : kept_(kept) {
        std::string name = (std::filesystem::temp_directory_path() / "taskflux-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
        directory_ = name;
        for (int attempt = 0; attempt < 5 && !start_anywhere(); ++attempt) end(SIGKILL);
        if (pid_ == 0) throw std::runtime_error("redis-server does not start: tools/setup --dev installs it");
    }
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server() {
        end(SIGKILL);
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    std::uint16_t port() const { return port_; }
    std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

    /// Ends it in good order and starts it again, with what it has kept; returns when it answers.
    void restart() {
        end(SIGTERM);
        if (!start()) throw std::runtime_error("redis-server does not start again");
    }

private:
    bool start_anywhere() {
        // Linux hands out ports from 32,768 on to outgoing connections.
        static std::mt19937 random(std::random_device{}());
        port_ = std::uniform_int_distribution<std::uint16_t>(12'000, 32'000)(random);
        return start();
    }

    bool start() {
        const auto port = std::to_string(port_);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::execlp("redis-server", "redis-server", "--port", port.c_str(), "--bind", "127.0.0.1", "--save", "",
                     "--appendonly", kept_ == persistence::none ? "no" : "yes", "--dir", directory_.c_str(), "--logfile", "log", nullptr);
            ::_exit(127);
        }
        for (int tries = 0; tries < 1000; ++tries) {
            if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return pid_ = 0, false;
            try {
                // Another one may have had the port before.
                server_probe probe(port_);
                if (probe.process() != pid_) return false;
                probe.command({"DBSIZE"});  // refused while it reads what it has kept
                return true;
            } catch (const std::exception&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
            }
        }
        return false;
    }

    void end(int signal) {
        if (pid_ == 0) return;
        ::kill(pid_, signal);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    persistence kept_;
    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
};

}  // namespace bench
