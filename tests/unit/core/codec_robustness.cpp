#include <taskflux/core/codec.hpp>

#include "codec_types.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

using namespace codec_types;
using taskflux::decode;
using taskflux::encode;

namespace core_codec_robustness {

/// Values of all kinds from one seed.
class generator {
public:
    explicit generator(std::uint64_t seed) : random_(seed) {}

    std::uint64_t bits() { return random_(); }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(bits() % limit); }

    /// Small numbers, limits and any bits, about equally often.
    template <class Int>
    Int integer() {
        switch (below(4)) {
            case 0: return static_cast<Int>(below(10));
            case 1: return (std::numeric_limits<Int>::min)();
            case 2: return (std::numeric_limits<Int>::max)();
        }
        return static_cast<Int>(bits());
    }

    double number() {
        for (;;) {
            const double value = std::bit_cast<double>(bits());
            if (std::isfinite(value))
                return below(3) == 0 ? static_cast<double>(integer<std::int64_t>()) : value;
        }
    }
    float single() {
        for (;;) {
            const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits()));
            if (std::isfinite(value)) return value;
        }
    }

    std::string text() {
        static const std::string pieces[] = {
            "a", "\"", "\\", "\n", "\x01", "ü", "€", "😀", "longer plain text", "/~"};
        std::string result;
        for (std::size_t i = below(6); i > 0; --i) result += pieces[below(std::size(pieces))];
        return result;
    }

    std::string bytes() {
        std::string result(below(9), '\0');
        for (char& c : result) c = static_cast<char>(bits());
        return result;
    }

    tree branch(int levels) {
        tree result{integer<int>(), {}};
        if (levels > 0)
            for (std::size_t i = below(3); i > 0; --i) result.children.push_back(branch(levels - 1));
        return result;
    }

    shape figure() {
        switch (below(5)) {
            case 0: return point{number(), number()};
            case 1: return path{text(), {{number(), 1}}};
            case 2: return text();
            case 3: return integer<std::int64_t>();
        }
        return std::monostate{};
    }

    everything value() {
        everything result;
        result.flag = below(2) == 1;
        result.small = integer<std::int8_t>();
        result.large = integer<std::uint64_t>();
        result.single_number = single();
        result.number = number();
        result.text = text();
        result.paint = static_cast<color>(below(3));
        if (below(2)) result.maybe = integer<int>();
        for (std::size_t i = below(4); i > 0; --i) {
            result.points.push_back({number(), number()});
            result.lists[text()] = std::list<int>(below(3), integer<int>());
            result.flags[integer<std::int32_t>()] = below(2) == 1;
            result.colors.insert(static_cast<color>(below(3)));
        }
        result.both = {integer<int>(), text()};
        result.some = {number(), below(2) == 1};
        result.ports = {integer<std::uint16_t>(), integer<std::uint16_t>()};
        result.figure = figure();
        result.wait = std::chrono::milliseconds(integer<std::int64_t>());
        result.when += std::chrono::nanoseconds(integer<std::int64_t>());
        result.bytes.bytes = bytes();
        result.nested = branch(3);
        return result;
    }

private:
    std::mt19937_64 random_;
};

constexpr const char* sample =
    R"({"flag":true,"small":-5,"large":12345,"number":-1.5e+3,"text":"a\u00fc\ud83d\ude00\n€","paint":"blue",)"
    R"("points":[{"x":0.25}],"lists":{"k":[1,2]},"both":[1,"b"],"figure":{"type":"point","value":{"y":null}}})";

}  // namespace core_codec_robustness

BOOST_AUTO_TEST_SUITE(core_codec_robustness)

BOOST_AUTO_TEST_CASE(every_generated_value_comes_back_equal) {
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
        const everything value = generator(seed).value();
        const std::string text = encode(value);
        BOOST_TEST_REQUIRE((decode<everything>(text) == value), "seed " << seed << ": " << text);
        // Through another JSON library's model and back.
        const auto model = decode<boost::json::value>(text);
        BOOST_TEST_REQUIRE((decode<everything>(encode(model)) == value), "seed " << seed);
    }
}

BOOST_AUTO_TEST_CASE(every_generated_float_comes_back_bit_for_bit) {
    generator random(7);
    for (int i = 0; i < 100'000; ++i) {
        const double number = random.number();
        const float single = random.single();
        BOOST_TEST_REQUIRE(std::bit_cast<std::uint64_t>(decode<double>(encode(number))) ==
                           std::bit_cast<std::uint64_t>(number));
        BOOST_TEST_REQUIRE(std::bit_cast<std::uint32_t>(decode<float>(encode(single))) ==
                           std::bit_cast<std::uint32_t>(single));
    }
}

BOOST_AUTO_TEST_CASE(a_text_cut_anywhere_is_an_error) {
    std::string text = sample;
    text.replace(text.find("null"), 4, "2");
    BOOST_CHECK_NO_THROW(decode<everything>(text));
    for (std::size_t length = 0; length < text.size(); ++length) {
        // On the heap and of exact size, so that a read past the end is seen by ASan.
        const std::vector<char> cut(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
        BOOST_CHECK_THROW(decode<everything>(std::string_view(cut.data(), cut.size())),
                          taskflux::decode_error);
    }
}

BOOST_AUTO_TEST_CASE(a_text_with_any_byte_changed_is_read_or_refused) {
    generator random(1);
    int refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = sample;
        text[random.below(text.size())] = static_cast<char>(random.bits());
        try {
            (void)encode(decode<everything>(text));
        } catch (const taskflux::payload_error& error) {
            ++refused;
            BOOST_TEST_REQUIRE(!error.reason().empty());
        }
    }
    BOOST_TEST(refused > 1'000);
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused) {
    for (const char* bad : {"",
                            " ",
                            "nul",
                            "True",
                            "NaN",
                            "Infinity",
                            "-",
                            "+1",
                            "01",
                            "1.",
                            ".5",
                            "1e",
                            "1e+",
                            "0x10",
                            "1 2",
                            "[1,]",
                            "[,1]",
                            "[1 2]",
                            "[1",
                            "]",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "{a:1}",
                            "{'a':1}",
                            "{1:2}",
                            "\"abc",
                            "\"\\x\"",
                            "\"\\u12\"",
                            "\"\\ud800\"",
                            "\"\\udc00\"",
                            "\"\\ud800\\u0041\"",
                            "\"a\nb\"",
                            "\"\t\"",
                            "\"\x01\"",
                            "\xef\xbb\xbf[]",
                            "// comment\n1",
                            "[1] x",
                            "/**/1",
                            "\x80",
                            "nullx",
                            "[1]]",
                            "\"\xc3\x28\""}) {
        try {
            decode<boost::json::value>(bad);
            BOOST_ERROR("accepted: " << bad);
        } catch (const taskflux::decode_error& error) {
            BOOST_TEST(error.pointer().empty());
            BOOST_TEST(error.reason().starts_with("not valid JSON: "), error.reason());
            BOOST_TEST((error.code() == taskflux::errc::bad_payload));
        }
    }
    const std::string nul("[1]\0", 4);
    BOOST_CHECK_THROW(decode<boost::json::value>(nul), taskflux::decode_error);
}

BOOST_AUTO_TEST_CASE(brackets_without_end_do_not_exhaust_the_stack) {
    for (const char* piece : {"[", "{\"children\":[", "{\"a\":"}) {
        std::string text;
        for (int i = 0; i < 100'000; ++i) text += piece;
        try {
            decode<tree>(text);
            BOOST_ERROR("accepted");
        } catch (const taskflux::decode_error& error) {
            BOOST_TEST((error.code() == taskflux::errc::too_large));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_payload_larger_than_the_stack_buffer_is_read_and_written) {
    std::vector<std::string> lines;
    for (int i = 0; i < 20'000; ++i) lines.push_back("line " + std::to_string(i));
    BOOST_TEST((decode<std::vector<std::string>>(encode(lines)) == lines));
}

BOOST_AUTO_TEST_SUITE_END()
