#include <taskflux/admin/node.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service_options.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

// What a user names in a call, or in the options of what serves calls: refused where it is given, with the rule in the text.
namespace flow_call_options {

using namespace taskflux;
using detail::name_limit;
namespace limits = detail::limits;

struct entrance {
    const char* what;
    const name_limit& limit;
    bool is_optional;
    std::function<void(const std::string&)> give;
};

const std::vector<entrance> entrances{
    {"call_options::header", limits::header, false, [](const std::string& name) { call_options().header(name, "value"); }},
    {"its value", limits::header_value, true, [](const std::string& value) { call_options().header("name", value); }},
    {"call_options::headers", limits::header, false, [](const std::string& name) { call_options().headers({{"a", "b"}, {name, ""}}); }},
    {"a value of them", limits::header_value, true, [](const std::string& value) { call_options().headers({{"name", value}}); }},
    {"call_options::to", limits::instance, true, [](const std::string& id) { call_options().to(id); }},
    {"service_options::host", limits::host, true, [](const std::string& name) { service_options().host(name); }},
    {"service_options::id", limits::instance, false, [](const std::string& id) { service_options().id(id); }},
    {"node_options::host", limits::host, true, [](const std::string& name) { node_options().host(name); }},
    {"a method's name", limits::instance, false, [](const std::string& name) { [[maybe_unused]] const method<void()> of("service", name); }},
};

std::vector<std::string> names_for(const name_limit& limit) {
    return {std::string(limit.most, 'a'), std::string(limit.most + 1, 'a'), "", "a", std::string("a\n\0\x01\x7f", 5),
            "\xff\xfe\x80", "größe", "with a blank", std::string(70'000, 'b')};
}

bool is_refused(const std::function<void()>& give, std::string_view name) {
    try {
        give();
        return false;
    } catch (const error& e) {
        BOOST_TEST((e.code() == errc::invalid_argument));
        const std::string what = e.what();
        BOOST_TEST(what.size() < 700U);
        BOOST_TEST((name.empty() || name.size() > 20 || what.find(detail::in_quotes(name)) != std::string::npos), what);
        return true;
    }
}

}  // namespace flow_call_options

BOOST_AUTO_TEST_SUITE(flow_call_options)

BOOST_AUTO_TEST_CASE(a_name_is_refused_where_it_is_given) {
    for (const auto& [what, limit, is_optional, give] : entrances) {
        for (const auto& name : names_for(limit)) {
            const bool is_allowed = name.empty() ? is_optional : detail::allows(limit, name);
            BOOST_TEST_CONTEXT(what << ' ' << detail::in_quotes(name) << " of " << name.size() << " bytes") {
                BOOST_TEST(is_refused([&] { give(name); }, name) == !is_allowed);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_service_has_a_name_of_100_characters_at_most) {
    const auto names = [](std::size_t size) { [[maybe_unused]] const method<void()> made(std::string(size, 'a'), "method"); };
    BOOST_TEST(!is_refused([&] { names(100); }, ""));
    BOOST_TEST(is_refused([&] { names(101); }, ""));
}

BOOST_AUTO_TEST_CASE(a_later_value_of_a_header_wins) {
    const auto options = call_options().header("a", "1").header("a", "2").header("b", "");
    BOOST_TEST((options.headers() == header_map{{"a", "2"}, {"b", ""}}));
    BOOST_TEST((call_options(options).headers({{"c", "3"}}).headers() == header_map{{"c", "3"}}));
}

BOOST_AUTO_TEST_CASE(a_pool_has_1000_threads_at_most) {
    BOOST_TEST(service_options().cpu_threads(1000).cpu_threads() == 1000U);
    BOOST_TEST(worker_options().cpu_threads(1000).cpu_threads() == 1000U);
    BOOST_TEST(is_refused([] { service_options().cpu_threads(1001); }, ""));
    BOOST_TEST(is_refused([] { worker_options().cpu_threads(1001); }, ""));
}

BOOST_AUTO_TEST_SUITE_END()
