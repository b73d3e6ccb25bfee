#pragma once

#include <taskflux/core/task/failure.hpp>
#include <taskflux/stop_on_error.hpp>

#include <exception>

namespace taskflux {

void stop_on_error::shared::fail(const std::exception_ptr& failure) {
    log(log_level::error, "a coroutine has failed, and the program stops: " + detail::describe(failure).message);
    has_failed = true;
    stop();
}

}  // namespace taskflux
