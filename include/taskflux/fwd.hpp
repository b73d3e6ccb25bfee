#pragma once

namespace boost::asio {}

namespace taskflux {

namespace asio = boost::asio;

class clock;

}  // namespace taskflux
