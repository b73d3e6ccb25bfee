#pragma once

#include <taskflux/exec/handler/typed_handler.hpp>
#include <taskflux/flow/context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace taskflux::detail {

using task_handler = basic_handler<context>;

/// Handlers by the names of their tasks.
using handler_map = std::map<std::string, std::unique_ptr<task_handler>, std::less<>>;

}  // namespace taskflux::detail
