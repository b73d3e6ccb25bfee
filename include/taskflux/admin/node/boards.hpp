#pragma once

#include <taskflux/admin/node_info.hpp>
#include <taskflux/core/method.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>

namespace taskflux::detail {

inline constexpr const char* nodes_board = "taskflux/nodes";

/// The settings that nodes start with, by their names.
inline constexpr const char* settings_board = "taskflux/settings";

struct node_settings {
    std::optional<std::uint64_t> concurrency;
    bool paused = false;
};
BOOST_DESCRIBE_STRUCT(node_settings, (), (concurrency, paused))

/// The method that every node serves.
inline constexpr method<node_info(node_order)> steer_node{"taskflux/node", "steer"};

}  // namespace taskflux::detail
