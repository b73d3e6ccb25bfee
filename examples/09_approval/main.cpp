// A workflow that waits for somebody's approval, for days if need be, and outlives its worker: see `run` beside this file.
//
//     09_approval URL worker            runs the workflow's tasks
//     09_approval URL order BOOK        begins one, and prints its id
//     09_approval URL approve ID NAME   signals it
//     09_approval URL state ID          prints where it is
//     09_approval URL result ID         waits for its end

#include <taskflux/taskflux.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <iostream>

namespace asio = boost::asio;

inline constexpr taskflux::task<int(std::string)> reserve{"reserve"};
inline constexpr taskflux::task<std::string(std::string)> order{"order"};

asio::awaitable<std::string> on_order(taskflux::context& ctx, std::string book) {
    const int shelf = co_await ctx.call(reserve, book);  // a subtask, once
    const auto charge = [&] { return std::cout << "charged for " << book << std::endl, 3; };
    const int receipt = co_await ctx.step("charge", charge);  // a side effect, once
    const auto who = co_await ctx.wait_signal<std::string>("approved");  // without a slot, however long it takes
    co_return book + " from shelf " + std::to_string(shelf) + ", receipt " + std::to_string(receipt) + ", approved by " + who;
}

asio::awaitable<int> on_reserve(std::string book) {
    std::cout << "reserved " << book << std::endl;
    co_return static_cast<int>(book.size());
}

asio::awaitable<void> act(taskflux::broker_ptr broker, std::vector<std::string> words) {
    const taskflux::client client{broker};
    const auto& verb = words.at(2);
    if (verb == "order") {
        const auto job = co_await client.submit(order, words.at(3));
        std::cout << to_string(job.id()) << '\n';
    } else {
        const auto job = co_await client.attach(order, words.at(3));
        if (verb == "approve") co_await client.signal(job.id(), "approved", words.at(4));
        else if (verb == "state") std::cout << boost::describe::enum_to_string(co_await job.status(), "?") << '\n';
        else std::cout << co_await job.result() << '\n';
    }
    broker->close();
}

int main(int count, char** words) {
    if (count < 3) return std::cerr << "usage: 09_approval URL worker|order|approve|state|result …\n", 2;
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), words[1]);
    taskflux::worker worker{broker, taskflux::worker_options().lease(std::chrono::seconds(3))};
    worker.on(reserve, on_reserve).on(order, on_order);
    const bool works = std::string(words[2]) == "worker";
    auto task = works ? worker.run() : act(broker, std::vector<std::string>(words, words + count));
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, std::move(task), handler);
    io.run();
    return handler.status();
}
