#include "fuzz.hpp"

// Bodies, so that the fuzzer sees their branches.
#include <taskflux/http/forwarded.ipp>
#include <taskflux/http/media_type.ipp>
#include <taskflux/http/negotiation.ipp>

#include <boost/asio/ip/address.hpp>

#include <array>
#include <string>
#include <vector>

/// Preferences, media types and the addresses that proxies tell of.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::array<std::string_view, 3> offered = {"application/json", "text/html", "text/plain"};
    const auto text = test::as_text(data, size);
    const auto chosen = taskflux::http::choose_type(text, offered);
    test::require(!chosen || *chosen < offered.size(), "what is chosen was offered");
    taskflux::http::choose_coding(text);
    const auto type = taskflux::http::media_type::parse(text);
    const auto refused = taskflux::http::refused_unless_json(text);
    test::require(refused || (type && type->is_json()), "what is taken for JSON is JSON");
    if (type) test::require(taskflux::http::media_type::parse(type->essence()).has_value(), "a type comes back");
    static const taskflux::http::proxies believed(std::vector<std::string>{"10.0.0.0/8"});
    const auto peer = boost::asio::ip::make_address_v4(0x0A000001);
    taskflux::http::forwarded_fields fields;
    fields.for_ = fields.proto = fields.host = text;
    taskflux::http::origin_of(peer, false, "h", fields, believed);
    return 0;
}
