#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

using labels = std::map<std::string, std::string>;

struct sample {
    std::string name;
    labels of;
    double value = 0;
};

/// Reads the text by the rules of the exposition format, version 0.0.4, and fails where it keeps to them not.
struct exposition {
    explicit exposition(const std::string& text) {
        BOOST_REQUIRE(text.empty() || text.back() == '\n');
        for (std::size_t at = 0; at < text.size();) {
            const auto end = text.find('\n', at);
            line(text.substr(at, end - at));
            at = end + 1;
        }
        for (const auto& [name, type] : types) {
            if (type == "histogram") check_histogram(name);
        }
    }

    double value(const std::string& name, const labels& of) const {
        for (const auto& one : samples) {
            if (one.name == name && one.of == of) return one.value;
        }
        BOOST_ERROR("no sample of " << name);
        return -1;
    }

    bool has(const std::string& name, const labels& of) const {
        return std::ranges::any_of(samples, [&](const auto& one) { return one.name == name && one.of == of; });
    }

    std::map<std::string, std::string> types, helps;
    std::vector<sample> samples;

private:
    void line(const std::string& text) {
        if (text.starts_with("# ")) return comment(text.substr(2));
        sample made;
        std::size_t at = text.find_first_of("{ ");
        BOOST_REQUIRE(at != std::string::npos);
        made.name = text.substr(0, at);
        check_name(made.name);
        if (text[at] == '{') {
            ++at;
            while (text[at] != '}') {
                const auto is = text.find("=\"", at);
                BOOST_REQUIRE(is != std::string::npos);
                const auto name = text.substr(at, is - at);
                check_name(name);
                std::string value;
                for (at = is + 2; text.at(at) != '"'; ++at) {
                    if (text[at] != '\\') {
                        value += text[at];
                        continue;
                    }
                    ++at;
                    BOOST_REQUIRE((text.at(at) == '\\' || text[at] == '"' || text[at] == 'n'));
                    value += text[at] == 'n' ? '\n' : text[at];
                }
                ++at;
                BOOST_TEST(made.of.emplace(name, value).second);
                if (text.at(at) == ',') ++at;
            }
            ++at;
        }
        BOOST_REQUIRE(text.at(at) == ' ');
        std::size_t read = 0;
        made.value = std::stod(text.substr(at + 1), &read);
        BOOST_TEST(read == text.size() - at - 1);
        BOOST_TEST(seen_.emplace(made.name, made.of).second);  // each once
        BOOST_TEST(types.contains(family_));
        BOOST_TEST(made.name.starts_with(family_));            // all of a family together
        if (types[family_] == "counter") BOOST_TEST(made.name.ends_with("_total"));
        if (types[family_] == "histogram") {
            const auto suffix = made.name.substr(family_.size());
            BOOST_TEST((suffix == "_bucket" || suffix == "_sum" || suffix == "_count"));
        } else {
            BOOST_TEST(made.name == family_);
        }
        samples.push_back(std::move(made));
    }

    /// Each series has buckets that grow with their bounds, of which the last is +Inf and as many as `_count`, and a `_sum`.
    void check_histogram(const std::string& family) const {
        struct series {
            std::vector<std::pair<double, double>> buckets;  // bound and value
            std::optional<double> sum, count;
        };
        std::map<labels, series> all;
        for (const auto& one : samples) {
            if (!one.name.starts_with(family + '_')) continue;
            const auto suffix = one.name.substr(family.size());
            auto of = one.of;
            const auto bound = of.extract("le");
            BOOST_TEST(bound.empty() == (suffix != "_bucket"), one.name << " has le, or lacks it");
            auto& to = all[of];
            if (suffix == "_sum") to.sum = one.value;
            if (suffix == "_count") to.count = one.value;
            if (suffix == "_bucket" && !bound.empty()) to.buckets.emplace_back(std::stod(bound.mapped()), one.value);
        }
        for (const auto& [of, one] : all) {
            BOOST_TEST((one.sum && one.count && !one.buckets.empty()), family << " has a series that lacks a part");
            if (!one.count || one.buckets.empty()) continue;
            BOOST_TEST(std::isinf(one.buckets.back().first), family << " has no bucket +Inf at its end");
            BOOST_TEST(one.buckets.back().second == *one.count);
            for (std::size_t i = 1; i < one.buckets.size(); ++i) {
                BOOST_TEST(one.buckets[i - 1].first < one.buckets[i].first);
                BOOST_TEST(one.buckets[i - 1].second <= one.buckets[i].second);
            }
        }
    }

    void comment(const std::string& text) {
        const auto kind = text.substr(0, 4);
        const auto blank = text.find(' ', 5);
        BOOST_REQUIRE((kind == "HELP" || kind == "TYPE"));
        BOOST_REQUIRE(blank != std::string::npos);
        const auto name = text.substr(5, blank - 5);
        BOOST_TEST((kind == "TYPE" ? family_ == name && helps.contains(name) : !helps.contains(name)), "HELP comes first, then TYPE");
        family_ = name;
        BOOST_TEST((kind == "HELP" ? helps : types).emplace(family_, text.substr(blank + 1)).second);
    }

    static void check_name(std::string_view name) {
        BOOST_TEST(!name.empty());
        for (const char c : name) BOOST_TEST(((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'));
    }

    std::string family_;
    std::set<std::pair<std::string, labels>> seen_;
};

}  // namespace test
