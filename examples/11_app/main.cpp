// A whole program from one config: two services, a worker, a schedule, a log, signals, exit codes. `run` starts it twice and
// kills one. Try --help; docs/app.md says more.

#include "contracts.hpp"

#include <taskflux/app/yaml.hpp>
#include <taskflux/taskflux.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <iostream>

namespace asio = boost::asio;

asio::awaitable<int> on_order(int order) {
    asio::steady_timer work(co_await asio::this_coro::executor, std::chrono::milliseconds(20));
    co_await work.async_wait(asio::deferred);
    co_return order;
}

asio::awaitable<void> on_sweep(taskflux::context& ctx) {
    std::cout << ctx.own_id() << std::endl;  // sweep@ the time of its tick
    co_return;
}

int main(int argc, char** argv) {
    taskflux::app app;
    app.accept(taskflux::yaml_format());
    const auto from_here = [&app](int value) { return answer{app.config().node, value}; };
    app.serve(price, [=](std::string item) { return from_here(100 + int(item.size())); });
    app.serve(in_stock, [=](std::string item) { return from_here(int(item.size())); });
    app.on(pack, on_order).on(invoice, on_order).on(sweep, on_sweep);
    return app.run(argc, argv);
}
