#include <taskflux/core/options.hpp>
#include <taskflux/core/trace_context.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>
#include <string_view>

using namespace taskflux;

namespace core_trace_context {

const std::string trace = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";

std::string parent(std::string_view flags = "01", std::string_view version = "00") {
    return std::string(version) + '-' + trace + '-' + span + '-' + std::string(flags);
}

bool is_valid(std::string_view text) { return trace_context::parse(text).has_value(); }

std::string state_of(std::string_view text) { return trace_context::parse(parent(), text)->tracestate(); }

}  // namespace core_trace_context

BOOST_AUTO_TEST_SUITE(core_trace_context)

BOOST_AUTO_TEST_CASE(a_traceparent_comes_back) {
    for (const std::string_view flags : {"00", "01", "02", "03"}) {
        const auto read = trace_context::parse(parent(flags));
        BOOST_TEST_REQUIRE(read.has_value());
        BOOST_TEST(read->traceparent() == parent(flags));
        BOOST_TEST(read->is_sampled() == (flags.back() == '1' || flags.back() == '3'));
        BOOST_TEST(read->is_random() == (flags.back() >= '2'));
        BOOST_TEST(read->trace()[0] == 0x0a);
        BOOST_TEST(read->trace()[15] == 0x9c);
        BOOST_TEST(read->span()[0] == 0xb7);
        BOOST_TEST(read->span()[7] == 0x31);
    }
}

BOOST_AUTO_TEST_CASE(flags_that_this_version_does_not_know_are_not_passed_on) {
    BOOST_TEST(trace_context::parse(parent("ff"))->traceparent() == parent("03"));
    BOOST_TEST(trace_context::parse(parent("fc"))->traceparent() == parent("00"));
}

BOOST_AUTO_TEST_CASE(a_traceparent_that_is_not_valid_is_none) {
    const std::string zeros(32, '0');
    for (const std::string& text :
         {std::string(), std::string("00"), parent("01", "ff"), parent("01", "0g"), parent("01", "FE"), parent("0G"), parent("0A"),
          parent() + '-', parent() + "-00", parent() + '0', parent().substr(1), parent().substr(0, 54), ' ' + parent(), parent() + ' ',
          "00-" + zeros + '-' + span + "-01", "00-" + trace + '-' + zeros.substr(16) + "-01", "00-" + trace + '-' + span + "_01",
          "00_" + trace + '-' + span + "-01", "00-" + trace + '_' + span + "-01", "00-0AF7651916CD43DD8448EB211C80319C-" + span + "-01",
          "00-" + trace + "-B7AD6B7169203331-01", "00-" + trace + "-b7ad6b716920333.-01", "00-" + trace.substr(1) + "-" + span + "-01-"}) {
        BOOST_TEST(!is_valid(text), text);
    }
    for (std::size_t at = 0; at < parent().size(); ++at) {  // whatever stands there
        auto text = parent();
        text[at] = '*';
        BOOST_TEST(!is_valid(text), text);
    }
}

BOOST_AUTO_TEST_CASE(of_a_later_version_what_this_one_knows_is_read) {
    for (const std::string& text : {parent("01", "cc"), parent("01", "cc") + "-what-comes-then", parent("01", "fe") + "-"}) {
        const auto read = trace_context::parse(text);
        BOOST_TEST_REQUIRE(read.has_value(), text);
        BOOST_TEST(read->traceparent() == parent());
    }
    BOOST_TEST(!is_valid(parent("01", "cc") + ".what"));
    BOOST_TEST(!is_valid(parent("01", "cc") + "0"));
}

BOOST_AUTO_TEST_CASE(a_tracestate_is_kept_in_its_order_without_white_space_around_its_members) {
    BOOST_TEST(state_of("") == "");
    BOOST_TEST(state_of("foo=1") == "foo=1");
    BOOST_TEST(state_of("foo=1,bar=2") == "foo=1,bar=2");
    BOOST_TEST(state_of("bar=2 ,\t foo=1\t") == "bar=2,foo=1");
    BOOST_TEST(state_of("foo=1,") == "foo=1");
    BOOST_TEST(state_of(",, \t,foo=1") == "foo=1");
    BOOST_TEST(state_of("foo= 1") == "foo= 1");
    BOOST_TEST(state_of("rojo=00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01,congo=t61rcWkgMzE") ==
               "rojo=00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01,congo=t61rcWkgMzE");
}

BOOST_AUTO_TEST_CASE(keys_and_values_of_a_tracestate_are_of_what_is_allowed) {
    for (const std::string& text :
         {std::string("a=1"), std::string("0a=1"), std::string("a_-*/@9=1"), std::string("t@v=1"), std::string("9@v=1"),
          std::string(256, 'a') + "=1", "a=" + std::string(256, '~'), std::string("a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~")}) {
        BOOST_TEST(state_of(text) == text);
    }
    for (const std::string& text :
         {std::string("a"), std::string("=1"), std::string("a="), std::string("A=1"), std::string("_a=1"), std::string("@a=1"),
          std::string("a.b=1"), std::string("a =1"), std::string("a b=1"), std::string(257, 'a') + "=1", "a=" + std::string(257, '~'),
          std::string("a=1=2"), std::string("a=\x7f"), std::string("a=\xc3\xa9"), std::string("a=\t1"), std::string("a=1;\n"),
          std::string("a=1,b")}) {
        BOOST_TEST(state_of(text) == "", text);
        BOOST_TEST(trace_context::parse(parent(), text)->traceparent() == parent());  // it is kept all the same
    }
}

BOOST_AUTO_TEST_CASE(a_key_comes_once_and_there_are_32_of_them_at_most) {
    BOOST_TEST(state_of("foo=1,foo=1") == "");
    BOOST_TEST(state_of("foo=1,bar=2,foo=3") == "");
    std::string many;
    for (int i = 0; i < 32; ++i) many += (i > 0 ? ",k" : "k") + std::to_string(i) + "=1";
    BOOST_TEST(state_of(many) == many);
    BOOST_TEST(state_of(many + ",one=more") == "");
}

BOOST_AUTO_TEST_CASE(a_child_is_of_the_same_trace_and_another_span) {
    const auto above = *trace_context::parse(parent("03"), "foo=1");
    const auto below = above.child({0, 0, 0, 0, 0, 0, 0, 0x2a});
    BOOST_TEST(below.traceparent() == "00-" + trace + "-000000000000002a-03");
    BOOST_TEST(below.tracestate() == "foo=1");
    BOOST_TEST((below != above));
}

BOOST_AUTO_TEST_CASE(a_new_trace_is_valid_random_and_sampled_or_not) {
    std::set<std::string> all;
    for (int i = 0; i < 100; ++i) {
        const auto made = trace_context::start(i % 2 == 0);
        BOOST_TEST(made.is_sampled() == (i % 2 == 0));
        BOOST_TEST(made.is_random());
        BOOST_TEST((trace_context::parse(made.traceparent()) == made));
        all.insert(made.traceparent().substr(0, 35));
    }
    BOOST_TEST(all.size() == 100U);
}

BOOST_AUTO_TEST_CASE(a_submission_carries_it_in_two_headers) {
    auto options = submit_options().trace(*trace_context::parse(parent(), "foo=1"));
    BOOST_TEST(options.headers().at("traceparent") == parent());
    BOOST_TEST(options.headers().at("tracestate") == "foo=1");
    options.trace(*trace_context::parse(parent("00")));
    BOOST_TEST(options.headers().at("traceparent") == parent("00"));
    BOOST_TEST(!options.headers().contains("tracestate"));  // that was another trace's
}

BOOST_AUTO_TEST_SUITE_END()
