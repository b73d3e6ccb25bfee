#pragma once

#include <taskflux/http/exposed.hpp>

#include <string>
#include <utility>
#include <vector>

namespace taskflux::http {

asio::awaitable<submitted> exposed_task::submit(broker_ptr broker, submit_options options, std::string payload) const {
    auto spec = detail::spec_of(*this, options);
    std::vector<new_task> tasks;
    tasks.push_back(detail::make_task(std::move(spec), options, std::move(payload)));
    const auto stored = co_await broker->submit(detail::queue_of(*this, options), std::move(tasks));
    co_return stored.front();
}

}  // namespace taskflux::http
