// Orders steadily from the shop, and says what has become of all of it: 11_load URL ORDERS. Exit code 1: something was lost.

#include "contracts.hpp"

#include <taskflux/taskflux.hpp>

#include <iostream>

namespace asio = boost::asio;

struct account {
    std::map<std::string, int> answers;  // by node
    std::vector<taskflux::job<int>> jobs;
    int orders = 0, asked_again = 0, lost = 0;
};

/// Asking twice does no harm: where the node dies that has been asked, another is.
asio::awaitable<void> ask(taskflux::rpc by, taskflux::method<answer(std::string)> what, account& all) {
    for (;; ++all.asked_again) try {
        ++all.answers[(co_await by.call(what, "a book")).node];
        co_return;
    } catch (const taskflux::error& e) {
        if (e.code() != taskflux::errc::unavailable) throw;
    }
}

asio::awaitable<void> order(taskflux::client shop, taskflux::rpc by, int last, account& all) {
    for (int number = 0; (number = ++all.orders) <= last;) {
        if (2 * number == last) std::cout << "half of the orders are made" << std::endl;
        co_await ask(by, price, all);
        co_await ask(by, in_stock, all);
        for (const auto& what : {pack, invoice}) all.jobs.push_back(co_await shop.submit(what, number));
    }
}

asio::awaitable<void> order_all(taskflux::broker_ptr broker, int last, account& all) {
    const auto buyer = [&, shop = taskflux::client(broker), by = taskflux::rpc(broker)] { return order(shop, by, last, all); };
    co_await taskflux::when_all(buyer(), buyer(), buyer(), buyer());
    int done = 0, again = 0, answers = 0;
    for (const auto& job : all.jobs) {
        done += co_await job.result() > 0;
        again += int((co_await job.record()).crashes);
    }
    for (const auto& [node, count] : all.answers) std::cout << node << " has answered " << count << " calls\n", answers += count;
    std::cout << 2 * last << " calls: " << answers << " answered, " << all.asked_again << " of them asked again\n"
              << 2 * last << " tasks: " << done << " done, " << again << " of them begun again\n";
    all.lost = 4 * last - answers - done;
    broker->close();
}

int main(int argc, char** argv) {
    if (argc != 3) return std::cerr << "usage: 11_load URL ORDERS\n", 2;
    account all;
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), argv[1]);
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, order_all(broker, std::stoi(argv[2]), all), handler);
    io.run();
    return all.lost == 0 ? handler.status() : 1;
}
