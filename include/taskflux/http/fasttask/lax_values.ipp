#pragma once

#include <taskflux/http/fasttask/lax_values.hpp>

#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

namespace lax {

inline std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n\v\f";
    const auto from = text.find_first_not_of(blank);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blank) - from + 1);
}

/// A text as a number of that type, all of it.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return std::nullopt;
    }
    Number made{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), made);
    if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return made;
}

inline std::optional<boost::json::value> integer_of(std::string_view text) {
    text = trimmed(text);
    // "3.0" and "3.": a fraction of zeros.
    const auto point = text.find('.');
    if (point != std::string_view::npos && point > 0 && text.find_first_not_of('0', point + 1) == std::string_view::npos) {
        text = text.substr(0, point);
    }
    if (const auto is_signed = number_of<std::int64_t>(text)) return boost::json::value(*is_signed);
    if (const auto is_large = number_of<std::uint64_t>(text)) return boost::json::value(*is_large);
    return std::nullopt;
}

inline bool is_digits(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

inline lax_value whole(double given) {
    constexpr double below = -9223372036854775808.0, above = 18446744073709551616.0;
    if (given != std::floor(given)) {
        return lax_flaw("int_from_float", "Input should be a valid integer, got a number with a fractional part");
    }
    if (!(given >= below && given < above)) return lax_flaw("int_type", "Input should be a valid integer of 64 bits");
    if (given < 0) return boost::json::value(static_cast<std::int64_t>(given));
    return boost::json::value(static_cast<std::uint64_t>(given));
}

}  // namespace lax

lax_value lax_number(const boost::json::value& given) {
    const lax_flaw infinite("finite_number", "Input should be a finite number");
    if (given.is_double() && !std::isfinite(given.get_double())) return infinite;  // 1e999
    if (given.is_number()) return given;
    if (given.is_bool()) return boost::json::value(given.get_bool() ? 1 : 0);
    if (!given.is_string()) return lax_flaw("float_type", "Input should be a valid number");
    const auto text = lax::trimmed(given.get_string());
    if (lax::is_digits(text)) {
        if (const auto whole = lax::integer_of(text)) return *whole;  // exactly, also beyond what a double holds
    }
    const auto made = lax::number_of<double>(text);
    if (!made) return lax_flaw("float_parsing", "Input should be a valid number, unable to parse string as a number");
    if (!std::isfinite(*made)) return infinite;
    return boost::json::value(*made);
}

lax_value lax_integer(const boost::json::value& given) {
    if (given.is_int64() || given.is_uint64()) return given;
    if (given.is_bool()) return boost::json::value(given.get_bool() ? 1 : 0);
    if (given.is_double()) return lax::whole(given.get_double());
    if (!given.is_string()) return lax_flaw("int_type", "Input should be a valid integer");
    if (const auto made = lax::integer_of(given.get_string())) return *made;
    if (lax::is_digits(lax::trimmed(given.get_string()))) {
        return lax_flaw("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size");
    }
    return lax_flaw("int_parsing", "Input should be a valid integer, unable to parse string as an integer");
}

lax_value lax_boolean(const boost::json::value& given) {
    constexpr std::array<std::string_view, 6> yes{"1", "on", "t", "true", "y", "yes"}, no{"0", "off", "f", "false", "n", "no"};
    const lax_flaw unclear("bool_parsing", "Input should be a valid boolean, unable to interpret input");
    if (given.is_bool()) return given;
    if (given.is_number()) {
        const auto number = given.to_number<double>();
        if (number == 0 || number == 1) return boost::json::value(number == 1);
        return unclear;
    }
    if (!given.is_string()) return lax_flaw("bool_type", "Input should be a valid boolean");
    std::string text(given.get_string());
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    for (const auto one : yes) {
        if (text == one) return boost::json::value(true);
    }
    for (const auto one : no) {
        if (text == one) return boost::json::value(false);
    }
    return unclear;
}

lax_value lax_text(const boost::json::value& given) {
    if (given.is_string()) return given;
    return lax_flaw("string_type", "Input should be a valid string");
}

std::optional<lax_flaw> beyond_range(const boost::json::value& integer, const boost::json::value* least, const boost::json::value* most) {
    const auto less = [](const boost::json::value& a, const boost::json::value& b) {
        if (a.is_uint64() && b.is_uint64()) return a.get_uint64() < b.get_uint64();
        if (a.is_int64() && b.is_int64()) return a.get_int64() < b.get_int64();
        if (a.is_int64()) return a.get_int64() < 0 || static_cast<std::uint64_t>(a.get_int64()) < b.get_uint64();
        return b.get_int64() >= 0 && a.get_uint64() < static_cast<std::uint64_t>(b.get_int64());
    };
    const auto is_integer = [](const boost::json::value* of) { return of && (of->is_int64() || of->is_uint64()); };
    if (is_integer(least) && less(integer, *least)) {
        return lax_flaw("greater_than_equal", "Input should be greater than or equal to " + boost::json::serialize(*least), {{"ge", *least}});
    }
    if (is_integer(most) && less(*most, integer)) {
        return lax_flaw("less_than_equal", "Input should be less than or equal to " + boost::json::serialize(*most), {{"le", *most}});
    }
    return std::nullopt;
}

}  // namespace taskflux::detail
