// How much does typed JSON cost? Our codec against Boost.JSON's own conversions (value_from and serialize,
// parse and value_to), and against Boost.JSON without any types (serialize and parse of a document that is at
// hand).

#include "harness.hpp"

#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace json = boost::json;

namespace {

struct order {
    std::int64_t id = 0;
    double price = 0;
    bool paid = false;
    std::string customer;
};
BOOST_DESCRIBE_STRUCT(order, (), (id, price, paid, customer))

struct line {
    std::string article;
    std::int32_t count = 0;
    double price = 0;
    std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(line, (), (article, count, price, tags))

struct address {
    std::string street;
    std::string city;
    std::int32_t zip = 0;
};
BOOST_DESCRIBE_STRUCT(address, (), (street, city, zip))

struct invoice {
    std::int64_t id = 0;
    address from;
    address to;
    std::vector<line> lines;
    std::string remark;
};
BOOST_DESCRIBE_STRUCT(invoice, (), (id, from, to, lines, remark))

order small_payload() {
    return {48'151'623, 19.95, true, "Grace Hopper"};
}

invoice nested_payload() {
    invoice value{
        77, {"12 Main Street", "Springfield", 12345}, {"1 Hacker Way", "Menlo Park", 94025}, {}, "urgent"};
    for (std::int32_t i = 0; i < 20; ++i)
        value.lines.push_back({"article number " + std::to_string(i), i, 0.75 * i, {"blue", "large"}});
    return value;
}

std::vector<double> many_numbers() {
    std::vector<double> values;
    for (int i = 0; i < 10'000; ++i) values.push_back(i * 1.37);
    return values;
}

template <class T>
void compare(bench::report& report, const std::string& name, const T& value, int repeats) {
    const std::string text = taskflux::encode(value);
    const json::value document = json::value_from(value);
    json::parse_options precise;  // json::parse rounds some doubles wrongly without it; ours always parses so
    precise.numbers = json::number_precision::precise;
    if (taskflux::encode(taskflux::decode<T>(text)) != text ||
        taskflux::encode(json::value_to<T>(json::parse(text, {}, precise))) != text)
        throw std::logic_error("the candidates do not agree on " + name);
    std::printf("\n%s: %zu bytes\n", name.c_str(), text.size());

    const auto repeat = [repeats](auto function) {
        return [repeats, function] {
            for (int i = 0; i < repeats; ++i) function();
            return repeats;
        };
    };
    const auto times = bench::interleave(
        21, {{"encode", repeat([&] { bench::keep(taskflux::encode(value)); })},
             {"value_from+serialize", repeat([&] { bench::keep(json::serialize(json::value_from(value))); })},
             {"serialize", repeat([&] { bench::keep(json::serialize(document)); })},
             {"decode", repeat([&] { bench::keep(taskflux::decode<T>(text)); })},
             {"parse+value_to", repeat([&] { bench::keep(json::value_to<T>(json::parse(text))); })},
             {"parse", repeat([&] { bench::keep(json::parse(text)); })}});

    const double both = times["encode"].median + times["decode"].median;
    const double theirs = times["value_from+serialize"].median + times["parse+value_to"].median;
    report.figure(name + ".encode", times["encode"].median, "ns");
    report.figure(name + ".decode", times["decode"].median, "ns");
    report.figure(name + ".encode+decode", both, "ns");
    report.ratio(name + ".encode", "value_from+serialize", times.ratio("encode", "value_from+serialize"));
    report.ratio(name + ".encode", "serialize", times.ratio("encode", "serialize"));
    report.ratio(name + ".decode", "parse+value_to", times.ratio("decode", "parse+value_to"));
    report.ratio(name + ".decode", "parse", times.ratio("decode", "parse"));
    report.ratio(name + ".encode+decode", "boost.json", both / theirs);
}

}  // namespace

int main() {
    bench::report report{"codec"};
    compare(report, "struct_64_bytes", small_payload(), 20'000);
    compare(report, "nested_2_kb", nested_payload(), 500);
    compare(report, "10000_numbers", many_numbers(), 5);
}
