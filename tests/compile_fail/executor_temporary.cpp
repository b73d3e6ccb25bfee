// expect: GCC 12 destroys a temporary closure or aggregate in a co_await expression twice
// only: GNU 12
#include <taskflux/exec/executor.hpp>

#include <string>

boost::asio::awaitable<std::size_t> measure(taskflux::executor& pool, std::string text) {
#ifndef FIXED
    co_return co_await pool.submit([text] { return text.size(); });
#else
    const auto length = [text] { return text.size(); };
    co_return co_await pool.submit(length);
#endif
}
