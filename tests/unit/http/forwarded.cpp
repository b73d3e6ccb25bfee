#include <taskflux/core/error.hpp>
#include <taskflux/http/forwarded.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http_forwarded {

using namespace taskflux::http;

boost::asio::ip::address at(std::string_view text) {
    return boost::asio::ip::make_address(std::string(text));
}

proxies of(std::vector<std::string> ranges) {
    return proxies(ranges);
}

const proxies believed = of({"10.0.0.0/8", "fd00::/8", "192.0.2.7"});

std::string client(std::string_view peer, std::optional<std::string_view> list) {
    return origin_of(at(peer), false, "h", {.for_ = list, .proto = {}, .host = {}}, believed).address.to_string();
}

}  // namespace http_forwarded

BOOST_AUTO_TEST_SUITE(http_forwarded)

BOOST_AUTO_TEST_CASE(ranges_hold_addresses) {
    const auto holds = [](std::string range, std::string_view address) { return of({std::move(range)}).contains(at(address)); };
    BOOST_TEST(holds("10.0.0.0/8", "10.255.0.1"));
    BOOST_TEST(!holds("10.0.0.0/8", "11.0.0.0"));
    BOOST_TEST(holds("192.168.4.0/22", "192.168.7.255"));
    BOOST_TEST(!holds("192.168.4.0/22", "192.168.8.0"));
    BOOST_TEST(holds("192.0.2.1", "192.0.2.1"));
    BOOST_TEST(!holds("192.0.2.1", "192.0.2.0"));
    BOOST_TEST(holds("0.0.0.0/0", "8.8.8.8"));
    BOOST_TEST(!holds("0.0.0.0/0", "::1"));
    BOOST_TEST(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
    BOOST_TEST(holds("2001:db8:8000::/33", "2001:db8:8000::1"));
    BOOST_TEST(!holds("2001:db8:8000::/33", "2001:db8:7fff::1"));
    BOOST_TEST(!proxies().contains(at("127.0.0.1")));
}

BOOST_AUTO_TEST_CASE(what_is_no_range_is_refused) {
    for (const std::string_view text :
         {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "fd00::/129", "10.0.0/8"}) {
        BOOST_TEST_CONTEXT(text) {
            BOOST_CHECK_EXCEPTION(of({std::string(text)}), taskflux::error,
                                  [](const auto& e) { return e.code() == taskflux::errc::invalid_argument; });
        }
    }
}

BOOST_AUTO_TEST_CASE(the_client_is_the_last_address_that_is_no_proxy) {
    BOOST_TEST(client("10.0.0.1", "203.0.113.5") == "203.0.113.5");
    BOOST_TEST(client("10.0.0.1", "1.1.1.1, 203.0.113.5,10.0.0.2 , 192.0.2.7") == "203.0.113.5");
    BOOST_TEST(client("10.0.0.1", "10.0.0.3, 10.0.0.2") == "10.0.0.3");
    BOOST_TEST(client("10.0.0.1", "203.0.113.5:8080") == "203.0.113.5");
    BOOST_TEST(client("fd00::1", "[2001:db8::1]:80") == "2001:db8::1");
    BOOST_TEST(client("fd00::1", "2001:db8::1") == "2001:db8::1");
    BOOST_TEST(client("::ffff:10.0.0.1", "203.0.113.5") == "203.0.113.5");
}

BOOST_AUTO_TEST_CASE(nobody_else_is_believed) {
    BOOST_TEST(client("203.0.113.9", "1.1.1.1") == "203.0.113.9");
    BOOST_TEST(client("10.0.0.1", std::nullopt) == "10.0.0.1");
    for (const std::string_view list : {"", "unknown", "1.1.1.1, unknown", "1.1.1.1, ", "1.1.1.1, [::1", "_hidden"}) {
        BOOST_TEST_CONTEXT(list) BOOST_TEST(client("10.0.0.1", list) == "10.0.0.1");
    }
    BOOST_TEST(client("10.0.0.1", "1.1.1.1, x, 10.0.0.2") == "10.0.0.2");
    const auto origin = origin_of(at("203.0.113.9"), false, "h", {.for_ = "1.1.1.1", .proto = "https", .host = "evil"}, believed);
    BOOST_TEST(!origin.is_https);
    BOOST_TEST(origin.host == "h");
}

BOOST_AUTO_TEST_CASE(scheme_and_host_are_what_the_nearest_proxy_says) {
    const auto of = [](std::optional<std::string_view> proto, std::optional<std::string_view> host, bool is_tls = false) {
        return origin_of(at("10.0.0.1"), is_tls, "h", {.for_ = {}, .proto = proto, .host = host}, believed);
    };
    BOOST_TEST(of("https", {}).is_https);
    BOOST_TEST(of("http, HTTPS", {}).is_https);
    BOOST_TEST(!of("https, http", {}, true).is_https);
    BOOST_TEST(of("ftp", {}, true).is_https);
    BOOST_TEST(!of({}, {}).is_https);
    BOOST_TEST(of({}, "a.example, b.example").host == "b.example");
    BOOST_TEST(of({}, "").host == "h");
}

BOOST_AUTO_TEST_SUITE_END()
