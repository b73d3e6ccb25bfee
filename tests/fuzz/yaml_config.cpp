#include "config.hpp"

#include <taskflux/app/config/check.ipp>
#include <taskflux/app/yaml.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto format = taskflux::yaml_format();
    test::read_config(format.read, test::as_text(data, size));
    return 0;
}
