#include "redis_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace test {

namespace {

namespace fs = std::filesystem;

bool is_free(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return bound;
}

fs::path find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    std::istringstream path(std::getenv("PATH") ? std::getenv("PATH") : "/usr/bin:/bin");
    for (std::string folder; std::getline(path, folder, ':');)
        if (::access((fs::path(folder) / name).c_str(), X_OK) == 0) return fs::path(folder) / name;
    throw std::runtime_error(name + " is not installed: tools/setup --dev installs redis-server");
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

std::uint16_t free_port() {
    // A node of a cluster also listens 10,000 higher; Linux hands out ports from 32,768 on to outgoing connections.
    static std::mt19937 random(std::random_device{}());
    for (;;) {
        const auto port = std::uniform_int_distribution<std::uint16_t>(12'000, 22'000)(random);
        if (is_free(port) && is_free(static_cast<std::uint16_t>(port + 10'000))) return port;
    }
}

bool eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + hang_limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

redis_server_options::redis_server_options() : executable_("redis-server") {
    if (const char* other = std::getenv("TASKFLUX_REDIS_SERVER")) executable_ = other;
}

redis_server_options& redis_server_options::words(std::vector<std::string> value) {
    words_.insert(words_.end(), value.begin(), value.end());
    return *this;
}

/// The offset of the server's clock in milliseconds, in memory that it shares with the server (clock_shift.c).
class redis_server::clock {
public:
    explicit clock(const fs::path& file) {
        const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor < 0 || ::ftruncate(descriptor, sizeof(std::int64_t)) != 0)
            throw std::runtime_error("redis_server: cannot write " + file.string());
        void* memory = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        ::close(descriptor);
        if (memory == MAP_FAILED) throw std::runtime_error("redis_server: cannot map " + file.string());
        offset_ = static_cast<std::int64_t*>(memory);
    }
    ~clock() { ::munmap(offset_, sizeof(std::int64_t)); }

    void advance(std::chrono::milliseconds by) { std::atomic_ref(*offset_).fetch_add(by.count()); }

private:
    std::int64_t* offset_;
};

redis_server::redis_server(redis_server_options options)
    : options_(std::move(options)), program_(find_program(options_.executable_)) {
    std::string name = (fs::temp_directory_path() / "taskflux-redis-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("redis_server: cannot make " + name);
    directory_ = name;
    if (!options_.config_.empty()) std::ofstream(directory_ / "redis.conf") << options_.config_;
    if (options_.movable_clock_) clock_ = std::make_unique<clock>(directory_ / "clock");
    try {
        start();
    } catch (...) {
        end(SIGKILL);
        fs::remove_all(directory_);
        throw;
    }
}

redis_server::~redis_server() {
    end(SIGKILL);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

std::string redis_server::url() const {
    return "redis://" + (options_.password_.empty() ? "" : ":" + options_.password_ + "@") +
           "127.0.0.1:" + std::to_string(port_);
}

bool redis_server::running() {
    if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = 0;
        std::cerr << "\nredis_server: the server on port " << port_ << " died unasked. Its log:\n" << log();
    }
    return pid_ != 0;
}

std::string redis_server::log() const {
    std::ifstream file(directory_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
}

void redis_server::kill() { end(SIGKILL); }
void redis_server::stop() { end(SIGTERM); }

void redis_server::start() {
    if (running()) return;
    const bool first = port_ == 0;
    for (int attempt = 0; attempt < 5; ++attempt) {
        if (first) port_ = free_port();
        launch();
        const auto ended = [&] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; };
        bool ready = false, dead = false;
        eventually([&] { return (ready = answers()) || (dead = ended()); });
        if (ready) {
            if (options_.cluster_) claim_all_slots();
            return;
        }
        if (dead) pid_ = 0;
        // Somebody else was quicker to take the port.
        if (!first || log().find("Address already in use") == std::string::npos) break;
    }
    end(SIGKILL);
    throw std::runtime_error("redis_server: " + program_.string() + " does not start. Its log:\n" + log());
}

void redis_server::restart() {
    stop();
    start();
}

void redis_server::suspend() {
    if (!running()) return;
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
}

void redis_server::resume() {
    if (running()) ::kill(pid_, SIGCONT);
}

redis_value redis_server::command(const std::vector<std::string>& words) {
    try {
        return connect().command(words);
    } catch (const std::runtime_error&) {
        running();  // shows the log of a server that died unasked
        throw;
    }
}

void redis_server::advance(std::chrono::milliseconds by) {
    if (!clock_) throw std::logic_error("redis_server: advance() needs the option movable_clock()");
    clock_->advance(by);
}

std::vector<std::string> redis_server::command_line() const {
    std::vector<std::string> line{program_.string()};
    if (!options_.config_.empty()) line.push_back((directory_ / "redis.conf").string());
    const auto add = [&](std::initializer_list<std::string> words) { line.insert(line.end(), words); };
    add({"--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", directory_.string(), "--daemonize", "no"});
    if (options_.config_.empty()) add({"--save", "", "--appendonly", "no"});
    if (!options_.password_.empty()) add({"--requirepass", options_.password_, "--masterauth", options_.password_});
    if (options_.unix_socket_) add({"--unixsocket", socket_path().string()});
    if (options_.cluster_) add({"--cluster-enabled", "yes"});
    line.insert(line.end(), options_.words_.begin(), options_.words_.end());
    return line;
}

std::vector<std::string> redis_server::environment() const {
    std::vector<std::string> result;
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        if (!text.starts_with("LD_PRELOAD=") && !text.starts_with("TASKFLUX_CLOCK_OFFSET=")) result.emplace_back(text);
    }
    if (clock_) {
        result.push_back("LD_PRELOAD=" TASKFLUX_CLOCK_SHIFT);
        result.push_back("TASKFLUX_CLOCK_OFFSET=" + (directory_ / "clock").string());
        if (!options_.frozen_clock_.empty()) result.push_back("TASKFLUX_CLOCK_FROZEN=" + options_.frozen_clock_);
    }
    return result;
}

void redis_server::launch() {
    auto words = command_line();
    auto variables = environment();
    const auto arguments = pointers(words);
    const auto environment = pointers(variables);
    const std::string log = directory_ / "log";
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("redis_server: fork failed");
    if (pid_ != 0) return;

    // In the child, and perhaps of several threads: nothing but system calls from here.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
    ::dup2(1, 2);
    ::close_range(3, ~0U, 0);  // sockets of the test that nobody marked: they would stay open with the server
    ::execve(arguments[0], arguments.data(), environment.data());
    ::_exit(127);
}

// Whether it is this very process that answers, and not one that was quicker to take the port.
bool redis_server::answers() const {
    try {
        redis_client client = connect();
        if (!(client.try_command({"PING"}) == "PONG")) return false;
        const std::string info = client.command({"INFO", "server"}).text;
        return info.find("process_id:" + std::to_string(pid_) + "\r") != std::string::npos;
    } catch (const std::runtime_error&) {
        return false;
    }
}

void redis_server::claim_all_slots() {
    if (command({"CLUSTER", "INFO"}).text.find("cluster_slots_assigned:0") != std::string::npos)
        command({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
    const auto ready = [&] {
        if (clock_) advance(std::chrono::milliseconds(100));  // it waits for two seconds of its clock to pass
        return command({"CLUSTER", "INFO"}).text.find("cluster_state:ok") != std::string::npos;
    };
    if (!eventually(ready)) throw std::runtime_error("redis_server: the cluster does not become ready\n" + log());
}

void redis_server::end(int signal) {
    if (!running()) return;
    ::kill(pid_, signal);
    ::kill(pid_, SIGCONT);
    // A server that doesn't end by itself is not let off.
    const auto ended = [&] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; };
    if (!eventually(ended)) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_ = 0;
}

}  // namespace test
