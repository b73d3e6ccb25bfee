// expect: map takes a range of the task's payloads: compare its elements' type with the contract
#include <taskflux/flow/context.hpp>

#include <string>
#include <vector>

inline constexpr taskflux::task<int(int)> twice{"twice"};

#ifndef FIXED
using payloads = std::vector<std::string>;
#else
using payloads = std::vector<int>;
#endif

boost::asio::awaitable<void> handle(taskflux::context& ctx, payloads all) {
    co_await ctx.map(twice, all);
}
