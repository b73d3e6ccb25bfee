#pragma once

#include <taskflux/admin/node.hpp>
#include <taskflux/admin/node/core.hpp>
#include <taskflux/detail/live.hpp>

#include <memory>
#include <utility>

namespace taskflux {

node::node(broker_ptr broker, worker& shown, node_options options)
    : core_(std::make_shared<detail::node_core>(std::move(broker), shown.control_, std::move(options))) {}

node::~node() { core_->abandon(); }

asio::awaitable<void> node::run() { return detail::live(core_, nullptr); }

void node::stop() { core_->stop(); }

node_info node::info() const { return core_->info(); }

}  // namespace taskflux
