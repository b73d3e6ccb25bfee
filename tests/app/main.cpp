// An app for program_test.py to start, stop and give wrong configs to.
#include <taskflux/taskflux.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <filesystem>
#include <iostream>
#include <string>

#include <unistd.h>

namespace asio = boost::asio;

inline constexpr taskflux::task<void(std::string)> greet{"greet"};
inline constexpr taskflux::task<void(std::string)> wait_for{"wait"};
inline constexpr taskflux::task<void()> block{"block"};

asio::awaitable<void> on_greet(taskflux::context& ctx, std::string who) {
    ctx.log(taskflux::log_level::info, "greeting " + who);
    std::cout << "hello, " << who << std::endl;
    co_return;
}

/// Ends when a file is there.
asio::awaitable<void> on_wait(std::string path) {
    std::cout << "waiting" << std::endl;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (!std::filesystem::exists(path)) {
        timer.expires_after(std::chrono::milliseconds(5));
        co_await timer.async_wait(asio::deferred);
    }
    std::cout << "waited" << std::endl;
}

asio::awaitable<void> on_block() {
    std::cout << "blocking" << std::endl;
    for (;;) ::pause();
    co_return;
}

int main(int argc, char** argv) {
    taskflux::app app;
    app.on(greet, on_greet).on(wait_for, on_wait).on(block, on_block);
    app.every("@every 100ms", greet, "world");
    return app.run(argc, argv);
}
