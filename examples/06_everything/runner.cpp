#include "runner.hpp"

#include "handlers.hpp"
#include "worker_process.hpp"

#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

class runner_here : public runner {
public:
    runner_here(taskflux::broker_ptr broker, const settings& wanted, taskflux::log_sink log)
        : worker_(std::move(broker), options(wanted, std::move(log))) {
        add_handlers(worker_);
    }

    asio::awaitable<void> run() override { return worker_.run(); }
    void stop() override { worker_.stop(); }
    void quit() override {}

private:
    static taskflux::worker_options options(const settings& wanted, taskflux::log_sink log) {
        return taskflux::worker_options()
            .queues({"express", "bulk"})
            .concurrency(wanted.threads)
            .cpu_threads(wanted.threads)
            .lease(5s)  // so soon another worker takes over the tasks of one that was killed
            .log(std::move(log));
    }

    taskflux::worker worker_;
};

std::string text_of(const taskflux::log_line& line, const taskflux::task_id* task) {
    return (task ? "flaky     " : "") + line.text;
}

}  // namespace

taskflux::broker_ptr open_broker(asio::io_context& io, const settings& wanted) {
    try {
        return taskflux::connect(io.get_executor(), wanted.url);
    } catch (const taskflux::error& e) {
        if (e.code() != taskflux::errc::invalid_argument && e.code() != taskflux::errc::unsupported) throw;
        throw usage_error(std::string("--url: ") + e.what());
    }
}

std::unique_ptr<runner> make_runner(asio::io_context& io, taskflux::broker_ptr broker, const settings& wanted,
                                    note_sink note) {
    if (!wanted.is_in_memory()) return std::make_unique<worker_process>(io, wanted, std::move(note));
    const auto log = [&io, note = std::move(note)](const taskflux::log_line& line, const taskflux::task_id* task) {
        asio::post(io, [note, text = text_of(line, task)] { note(text); });
    };
    return std::make_unique<runner_here>(std::move(broker), wanted, log);
}

void serve(const settings& wanted) {
    std::signal(SIGINT, SIG_IGN);  // a terminal sends it to both processes: the first one decides
    std::signal(SIGPIPE, SIG_IGN);
    asio::io_context io(1);
    const auto broker = open_broker(io, wanted);
    runner_here runner(broker, wanted, [](const taskflux::log_line& line, const taskflux::task_id* task) {
        std::fputs((text_of(line, task) + '\n').c_str(), stdout);
        std::fflush(stdout);
    });
    const auto stop = [&](const boost::system::error_code& ec, auto) {
        if (ec != asio::error::operation_aborted) runner.stop();
    };
    asio::signal_set signals(io, SIGTERM);
    signals.async_wait(stop);
    asio::posix::stream_descriptor input(io, STDIN_FILENO);
    std::array<char, 1> nothing{};
    input.async_read_some(asio::buffer(nothing), stop);
    asio::co_spawn(io, runner.run(), [&](std::exception_ptr error) {
        signals.cancel();
        input.cancel();
        broker->close();
        if (error) std::rethrow_exception(error);
    });
    io.run();
}
