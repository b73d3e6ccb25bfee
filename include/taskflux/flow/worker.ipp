#pragma once

#include <taskflux/flow/worker.hpp>

namespace taskflux {

worker::~worker() { control_->abandon(); }

}  // namespace taskflux
