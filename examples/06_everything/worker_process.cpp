#include "worker_process.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace asio = boost::asio;

namespace {

constexpr unsigned most_deaths = 3;

/// A process of this program, with `wire` for its standard input and output and nothing else of this one's.
pid_t spawn(std::vector<std::string> words, int wire) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, wire, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, wire, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    pid_t process = 0;
    const int failure = ::posix_spawn(&process, "/proc/self/exe", &actions, nullptr, arguments.data(), ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw std::system_error(failure, std::generic_category(), "cannot start a worker");
    return process;
}

}  // namespace

worker_process::worker_process(asio::io_context& io, const settings& wanted, note_sink note)
    : wanted_(wanted), note_(std::move(note)), wire_(io) {}

worker_process::~worker_process() {
    if (process_ == 0) return;
    quit();
    wait_for_end();
}

asio::awaitable<void> worker_process::run() {
    for (unsigned deaths = 0; !is_stopped_;) {
        start();
        note_("the worker runs in process " + std::to_string(process_));
        std::string unread;
        for (;;) {
            const auto [ec, size] = co_await asio::async_read_until(wire_, asio::dynamic_buffer(unread), '\n',
                                                                    asio::as_tuple(asio::use_awaitable));
            if (ec == asio::error::operation_aborted) co_return;
            if (ec) break;
            note_(unread.substr(0, size - 1));
            unread.erase(0, size);
        }
        const auto number = std::to_string(process_);
        const auto end = wait_for_end();
        wire_.close();
        if (is_stopped_) co_return;
        if (++deaths == most_deaths) throw std::runtime_error("the workers die: the last one, process " + number + ", " + end);
        note_("the worker in process " + number + ' ' + end + ": another one takes over, what it ran is run again");
    }
}

void worker_process::start() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot start a worker");
    }
    wire_.assign(asio::local::stream_protocol(), ends[0]);
    try {
        process_ = spawn({"quickstart", "--worker", "--threads", std::to_string(wanted_.threads), "--url", wanted_.url}, ends[1]);
    } catch (...) {
        ::close(ends[1]);
        throw;
    }
    ::close(ends[1]);
}

std::string worker_process::wait_for_end() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
    return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

void worker_process::stop() {
    is_stopped_ = true;
    boost::system::error_code ignored;
    wire_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void worker_process::quit() {
    if (process_ != 0) ::kill(process_, SIGKILL);
}
