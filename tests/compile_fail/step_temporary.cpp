// expect: GCC 12 destroys this closure twice in a co_await expression: name it first
// only: GNU 12
#include <taskflux/flow/context.hpp>

#include <string>

boost::asio::awaitable<void> handle(taskflux::context& ctx, std::string name) {
#ifndef FIXED
    co_await ctx.step("greet", [name] { return name; });
#else
    const auto greet = [name] { return name; };
    co_await ctx.step("greet", greet);
#endif
}
