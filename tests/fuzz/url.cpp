#include "fuzz.hpp"

#include <support/mistyped_urls.hpp>
#include <taskflux/broker/redis/url.hpp>

/// A password in the middle of anything is in no error. What is accepted is printed without its passwords, and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = test::as_text(data, size);
    const auto middle = text.find('*');
    std::string url(text.substr(0, middle));
    if (middle != std::string_view::npos) url.append("qXz1wVk2").append(text.substr(middle + 1));
    try {
        const auto read = taskflux::redis::parse_url(url);
        const auto printed = to_string(read);
        auto again = taskflux::redis::parse_url(printed);
        again.password = read.password;
        again.sentinel_password = read.sentinel_password;
        test::require(again == read, "what is printed is read again");
        if (test::shows_secret(read.password + read.sentinel_password) && !test::shows_secret(printed)) return 0;
        auto bare = read;  // where it is another part, it may be seen
        bare.password = bare.sentinel_password = "x";
        test::require(test::shows_secret(printed) == test::shows_secret(to_string(bare)), "a password is not printed");
    } catch (const taskflux::error& e) {
        test::require(e.code() == taskflux::errc::invalid_argument, "a refusal has its code");
        test::require_readable(e);
        test::require(!test::shows_secret(e.what()), "a refusal quotes nothing");
    }
    return 0;
}
