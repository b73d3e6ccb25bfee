// expect: GCC 12 destroys this temporary twice in a co_await expression: name it first
// only: GNU 12
#include <taskflux/flow/consumer.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct picture {
    std::string bytes;
};
BOOST_DESCRIBE_STRUCT(picture, (), (bytes))

using drawn = taskflux::accepted_task<picture, int>;

boost::asio::awaitable<taskflux::effect> run(drawn& item, std::string bytes) {
#ifndef FIXED
    co_return co_await item.reply(picture{bytes});
#else
    const auto result = picture{bytes};
    co_return co_await item.reply(result);
#endif
}
