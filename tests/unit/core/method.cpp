#include <taskflux/core/method.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(core_method)

using sum = taskflux::method<int(int)>;

BOOST_AUTO_TEST_CASE(a_contract_with_a_bad_name_is_refused) {
    for (const auto* name : {"", "two words", "a:b"}) {
        BOOST_CHECK_THROW((sum{name, "add"}), taskflux::error);
        BOOST_CHECK_THROW((sum{"sums", name}), taskflux::error);
    }
}

BOOST_AUTO_TEST_CASE(a_service_has_a_name_of_at_most_100_characters) {
    BOOST_CHECK_NO_THROW((sum{std::string(100, 's'), "add"}));
    BOOST_CHECK_EXCEPTION((sum{std::string(101, 's'), "add"}), taskflux::error, [](const taskflux::error& e) {
        return std::string_view(e.what()).find("at most 100 characters") != std::string_view::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_contract_keeps_its_names_and_tells_its_subject_in_errors) {
    const sum add{"sums", "add"};
    BOOST_TEST(add.service() == "sums");
    BOOST_TEST(add.name() == "add");
    BOOST_TEST(add.subject() == "method sums.add");
}

BOOST_AUTO_TEST_SUITE_END()
