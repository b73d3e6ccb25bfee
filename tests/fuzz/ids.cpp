#include "fuzz.hpp"

#include <taskflux/core/id.hpp>

/// What is read as an id is written as it was, but for leading zeros; what is not is refused as an argument.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = test::as_text(data, size);
    try {
        const auto id = taskflux::parse_task_id(text);
        const auto written = to_string(id);
        test::require(taskflux::parse_task_id(written) == id, "what is written is read again");
        test::require(taskflux::is_valid_name(id.queue), "its queue has a valid name");
    } catch (const taskflux::error& e) {
        test::require(e.code() == taskflux::errc::invalid_argument, "a refusal has its code");
        test::require_readable(e);
    }
    return 0;
}
