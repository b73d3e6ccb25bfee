#include "fuzz.hpp"

#include <taskflux/calls/rpc/messages.ipp>

/// What one process sends another is read, written and read again as the same; or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using taskflux::detail::call_message;
    try {
        const auto read = call_message::parse(test::as_text(data, size));
        const auto again = call_message::parse(read.text());
        test::require(again.text() == read.text(), "what is written is read again");
        std::size_t bytes = 0;
        for (const auto value : again.values_in()) bytes += value.size();
        test::require(bytes <= again.payload.size(), "values are within their message");
    } catch (const taskflux::error& e) {
        test::require(e.code() == taskflux::errc::protocol || e.code() == taskflux::errc::bad_payload ||
                          e.code() == taskflux::errc::too_large,
                      "a refusal has its code");
    }
    return 0;
}
