// Calls between processes: a calculator that is served in some processes and called from another.
// `10_rpc URL serve NAME` serves until it is stopped; `10_rpc URL call` calls any live instance.

#include <taskflux/admin/directory.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <iostream>

namespace asio = boost::asio;

struct fraction {
    double above = 0;
    double below = 1;
};
BOOST_DESCRIBE_STRUCT(fraction, (), (above, below))

inline constexpr taskflux::method<double(fraction)> divide{"calculator", "divide"};

class calculator {
public:
    double divide(fraction of) {
        if (of.below == 0) throw std::domain_error("nothing can be divided by 0");
        return of.above / of.below;
    }

private:
    BOOST_DESCRIBE_CLASS(calculator, (), (divide), (), ())
};

asio::awaitable<void> ask(taskflux::broker_ptr broker) {
    taskflux::rpc rpc{broker};
    std::cout << "1 / 8 is " << co_await rpc.call(divide, 1.0, 8.0) << '\n';
    try {
        co_await rpc.call(divide, 1.0, 0.0);
    } catch (const taskflux::call_failed& e) {
        std::cout << e.failure().type << ": " << e.failure().message << '\n';
    }
    const auto all = co_await taskflux::directory(broker).services("calculator");
    for (const auto& one : all) std::cout << "there is " << one.id << '\n';
    broker->close();
}

int main(int argc, char** argv) {
    if (argc < 3) return std::cerr << "usage: 10_rpc URL serve NAME | 10_rpc URL call\n", 2;
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), argv[1]);
    taskflux::service service{broker, taskflux::service_options().id(argc > 3 ? argv[3] : "nobody")};
    service.serve("calculator", std::make_shared<calculator>());
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, argc > 3 ? service.run() : ask(broker), handler);
    io.run();
    return handler.status();
}
