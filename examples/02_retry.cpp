// Retry: what happens when handlers throw. A contract carries its retry policy; a handler may overrule it
// with retry_after (not now, and it doesn't count) and discard (never again).

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

// At most four attempts; before each, a random wait of up to 10, 20, 40 ms.
inline constexpr taskflux::task<std::string(std::string)> download{
    "download", taskflux::task_options{}.retry(taskflux::retry_policy::exponential(10ms).full_jitter().attempts(4))};

asio::awaitable<std::string> on_download(taskflux::context& ctx, std::string site) {
    static int asked = 0;
    if (site == "gone") throw taskflux::discard("there is no such site");
    if (site == "down") throw std::runtime_error("no answer");
    if (site == "limited" && asked++ == 0) throw taskflux::retry_after(5ms);
    if (site == "flaky" && ctx.attempt() < 3) throw std::runtime_error("connection reset");
    co_return site + ": attempt " + std::to_string(ctx.attempt());
}

asio::awaitable<void> download_all(taskflux::client client, taskflux::worker& worker) {
    for (const std::string site : {"flaky", "limited", "gone", "down"}) {
        try {
            std::cout << co_await client.run(download, site) << '\n';
        } catch (const taskflux::task_failed& e) {
            std::cout << site << ": failed after " << e.attempts() << ": " << e.failure().message << '\n';
        }
    }
    worker.stop();
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    // By default failed attempts are logged to the standard error stream; here they are part of the show.
    taskflux::worker worker{broker, taskflux::worker_options().log(nullptr)};
    worker.on(download, on_download);
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, worker.run(), handler);
    asio::co_spawn(io, download_all(taskflux::client{broker}, worker), handler);
    io.run();
    return handler.status();
}
