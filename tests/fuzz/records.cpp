#include "fuzz.hpp"

#include <taskflux/broker/redis/records.hpp>

/// What a server has stored is read, or refused as not understood; a damaged record is never read past its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace taskflux::redis;
    const auto text = test::as_text(data, size);
    const auto try_to = [](auto&& read) {
        try {
            read();
        } catch (const taskflux::error& e) {
            test::require(e.code() == taskflux::errc::protocol || e.code() == taskflux::errc::bad_payload ||
                              e.code() == taskflux::errc::too_large || e.code() == taskflux::errc::invalid_argument,
                          "a refusal has its code");
        }
    };
    try_to([&] {
        record_reader reader;
        const auto first = reader.read(text);
        test::require(first.payload.size() <= text.size(), "a payload is within its record");
        test::require(reader.read(text).spec == first.spec, "the same record has the same specification");
    });
    try_to([&] {
        const auto status = read_status(text);
        test::require(status.result.size() + status.error.size() <= text.size(), "a result is within its state");
        static_cast<void>(status.attempts());
    });
    try_to([&] {
        byte_reader from(text);
        while (!from.rest().empty()) read_outcome(from);
    });
    try_to([&] { read_lines(text); });
    return 0;
}
