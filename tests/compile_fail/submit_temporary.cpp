// expect: GCC 12 destroys this temporary twice in a co_await expression: name it first
// only: GNU 12
#include <taskflux/flow/client.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct person {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(person, (), (name))

inline constexpr taskflux::task<int(person)> greet{"greet"};

boost::asio::awaitable<int> run(taskflux::client client, std::string name) {
#ifndef FIXED
    co_return co_await client.run(greet, person{name});
#else
    co_return co_await client.run(greet, name);
#endif
}
