#pragma once

#include <taskflux/broker/redis.hpp>
#include <taskflux/broker/redis/broker.hpp>
#include <taskflux/broker/redis/connection_options.hpp>
#include <taskflux/broker/redis/url.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace taskflux {

broker_ptr make_redis_broker(asio::any_io_executor executor, std::string_view url, const redis_options& options,
                             taskflux::clock& base) {
    auto settings = redis::connection_options().timeout(options.timeout()).durable(options.durable()).log(options.log()).observer(options.observer());
    const auto engine = std::make_shared<redis::engine>(std::move(executor), redis::parse_url(url), std::move(settings), base);
    engine->start();
    return std::make_shared<redis::redis_broker>(engine);
}

}  // namespace taskflux
