#include "fuzz.hpp"

// Bodies, so that the fuzzer sees their branches.
#include <taskflux/http/content_disposition.ipp>
#include <taskflux/http/media_type.ipp>
#include <taskflux/http/multipart.ipp>

#include <cstddef>
#include <string>
#include <string_view>

/// What a form has, as text, when it arrives in pieces of this many bytes.
static std::string read(std::string_view body, std::size_t piece) {
    taskflux::http::multipart_reader reader("b", taskflux::http::multipart_limits().parts(4).head(256));
    std::string made;
    const auto drain = [&] {
        for (;;) {
            switch (reader.next()) {
                case taskflux::http::multipart_event::part:
                    made += "\npart " + reader.part().name + '|' + reader.part().file_name.value_or("-") + '|' +
                            reader.part().content_type + ' ';
                    break;
                case taskflux::http::multipart_event::bytes:
                    test::require(!reader.bytes().empty(), "there are bytes");
                    made += reader.bytes();
                    break;
                case taskflux::http::multipart_event::end: made += "\nend"; break;
                case taskflux::http::multipart_event::more: return;
                case taskflux::http::multipart_event::failed: return;
            }
        }
    };
    const auto size = body.size();
    while (!body.empty()) {
        const std::string bytes(body.substr(0, piece));
        body.remove_prefix(bytes.size());
        reader.put(bytes);
        drain();
    }
    reader.finish();
    const bool has_failed = reader.next() == taskflux::http::multipart_event::failed;
    if (has_failed) made += "\nfailed " + reader.failure().text();
    for (const char c : has_failed ? reader.failure().text() : std::string())
        test::require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a refusal is one line of text");
    test::require(has_failed || reader.position() == size, "all is read");
    return made;
}

/// A form has the same parts however it arrives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = test::as_text(data, size);
    const auto whole = read(text, size + 1);
    for (const std::size_t piece : {1U, 2U, 3U, 7U}) test::require(read(text, piece) == whole, "pieces make no difference");
    if (const auto named = taskflux::http::parse_content_disposition(text); named && named->file_name) {
        const auto written = taskflux::http::attachment(*named->file_name);
        for (const char c : written)
            test::require(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f,
                          "a field is ASCII without control characters");
        test::require(taskflux::http::parse_content_disposition(written).has_value(), "what is written is read");
    }
    return 0;
}
