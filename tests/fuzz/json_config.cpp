#include "config.hpp"

#include <taskflux/app/config.ipp>
#include <taskflux/app/config/check.ipp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    test::read_config(taskflux::detail::read_json_config, test::as_text(data, size));
    return 0;
}
