#include "fuzz.hpp"

// Bodies, so that the fuzzer sees their branches.
#include <taskflux/http/basic.ipp>
#include <taskflux/http/cookies.ipp>
#include <taskflux/http/safe_name.ipp>
#include <taskflux/http/secrets/scrypt.ipp>
#include <taskflux/http/session.ipp>

#include <string>
#include <vector>

/// Nothing that was not signed is a session; what is read of a cookie or a name can be written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = test::as_text(data, size);
    const auto given = taskflux::http::credentials::parse(text);
    for (const char c : given.is() == taskflux::http::credentials::kind::basic ? given.name() + given.secret() : std::string()) {
        test::require(static_cast<unsigned char>(c) >= 0x20, "names and passwords have no control characters");
    }
    for (const auto value : taskflux::http::cookies_named(text, "a")) taskflux::http::set_cookie("a", std::string(value));
    static const taskflux::http::sessions sessions(taskflux::http::session_secrets(std::vector<std::string>{std::string(32, 's')}));
    test::require(!sessions.read(text, taskflux::time_point()).has_value(), "nobody guesses a signature");
    if (const auto hash = taskflux::http::secrets::password_hash::parse(text)) {
        test::require(taskflux::http::secrets::password_hash::parse(hash->text())->text() == hash->text(), "a hash comes back");
        test::require(hash->cost().memory() <= (256U << 20), "its memory is bounded");
    }
    if (!taskflux::http::refused_file_name(text)) {
        test::require(!text.empty() && text.front() != '/' && text.find("..") == std::string_view::npos &&
                          text.find('\0') == std::string_view::npos,
                      "a name stays in its folder");
    }
    return 0;
}
