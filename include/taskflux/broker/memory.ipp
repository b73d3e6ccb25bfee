#pragma once

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/memory/broker.hpp>

#include <memory>
#include <utility>

namespace taskflux {

broker_ptr make_memory_broker(asio::any_io_executor executor, const memory_options& options, taskflux::clock& clock) {
    return std::make_shared<memory::memory_broker>(std::move(executor), options, clock);
}

}  // namespace taskflux
