#pragma once

#include <taskflux/core/schedule.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>

namespace taskflux::detail {

/// The function that a process runs at the ticks of one schedule.
struct local_job {
    schedule_definition definition;  ///< its id is that of the row
    local_scope scope = local_scope::every_process;
    bool is_plain = false;
    std::function<asio::awaitable<void>()> start;
};

/// Local jobs by the ids of their definitions.
using local_job_map = std::map<std::string, local_job, std::less<>>;

template <class Function>
asio::awaitable<void> call_local(std::shared_ptr<Function> function) {
    if constexpr (is_awaitable<std::invoke_result_t<Function&>>) co_await (*function)();
    else (*function)();
}

}  // namespace taskflux::detail
