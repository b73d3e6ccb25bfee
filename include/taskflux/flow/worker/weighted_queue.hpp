#pragma once

#include <string>

namespace taskflux {

/// A queue that a worker serves. The weight says how often it is fetched from first, relative to the others.
struct weighted_queue {
    std::string name;
    unsigned weight = 1;
};

}  // namespace taskflux
