#pragma once

#include <taskflux/requirements.hpp>

namespace boost::asio {
class thread_pool;
}

namespace taskflux {

namespace asio = boost::asio;

class attempt_span;
class clock;
class tracer;

template <class T>
class stream;

namespace detail {
class app_core;
class inlet;
class outlet;
class scheduler_core;
class worker_core;
}

}  // namespace taskflux
