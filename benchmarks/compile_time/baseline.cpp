// What a program of coroutines and JSON includes with no taskflux in it.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <string>

boost::asio::awaitable<std::string> work(boost::json::value value) {
    co_return boost::json::serialize(value);
}

int main() {
    boost::asio::io_context io;
    boost::asio::co_spawn(io, work(boost::json::parse("{}")), boost::asio::detached);
    io.run();
}
