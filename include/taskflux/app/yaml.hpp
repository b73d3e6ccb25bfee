#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/app/config/budget.hpp>
#include <taskflux/core/codec/path.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

// Not included by the rest of taskflux: a program that includes it must link yaml-cpp.
namespace taskflux {
namespace detail {

/// Where a YAML file says something: "app.yaml:3:5".
class yaml_place {
public:
    explicit yaml_place(const std::string& name) : name_(name) {}

    std::string operator()(const YAML::Mark& mark) const {
        if (mark.is_null()) return name_;
        return name_ + ':' + std::to_string(mark.line + 1) + ':' + std::to_string(mark.column + 1);
    }

private:
    const std::string& name_;
};

/// One value of a YAML file. Those inside of it follow it, keys and values in turn, up to `end`.
struct yaml_value {
    enum class kind { null, plain, text, sequence, map, alias };

    kind is = kind::null;
    YAML::Mark mark;
    std::string text;     ///< of a scalar; plain: neither quoted nor with a tag
    std::size_t end = 0;  ///< the index of the value after it; 0: it goes on
    std::size_t of = 0;   ///< an alias: the index of the value that it stands for
};

/// Collects the values of a file's only document in their order. An alias stays one value.
class yaml_collector final : public YAML::EventHandler {
public:
    yaml_collector(yaml_place place, config_budget& budget) : place_(place), budget_(budget) {}

    std::vector<yaml_value> take() { return std::move(values_); }

private:
    using kind = yaml_value::kind;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (std::exchange(has_begun_, true)) {
            throw config_error("", "a second document begins: a file is one config", place_(mark));
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(kind::null, mark, anchor); }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto of = anchors_.at(anchor);
        if (values_[of].end == 0) {
            throw config_error("", "an alias is inside of what it stands for: write out what it should be", place_(mark));
        }
        add(kind::alias, mark, 0);
        values_.back().of = of;
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override {
        add(tag == "?" ? kind::plain : kind::text, mark, anchor);
        values_.back().text = text;
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(kind::sequence, mark, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        open(kind::map, mark, anchor);
    }
    void OnMapEnd() override { close(); }

    void add(kind is, const YAML::Mark& mark, YAML::anchor_t anchor) {
        budget_.spend(0, [&] { return place_(mark); });
        if (anchor != 0) anchors_[anchor] = values_.size();
        auto& made = values_.emplace_back();
        made.is = is;
        made.mark = mark;
        made.end = values_.size();
    }

    void open(kind is, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (open_.size() == config_budget::max_depth) throw config_budget::too_deep(place_(mark));
        add(is, mark, anchor);
        values_.back().end = 0;
        open_.push_back(values_.size() - 1);
    }

    void close() {
        values_[open_.back()].end = values_.size();
        open_.pop_back();
    }

    const yaml_place place_;
    config_budget& budget_;
    std::vector<yaml_value> values_;
    std::vector<std::size_t> open_;
    std::map<YAML::anchor_t, std::size_t> anchors_;
    bool has_begun_ = false;
};

/// Reads YAML into the values that the same config in JSON would have: plain scalars by YAML 1.2's core schema (without
/// octal, hexadecimal and infinite numbers), quoted scalars as strings.
class yaml_reader {
public:
    explicit yaml_reader(const std::string& name) : name_(name), place_(name) {}

    config_document read(std::string_view text) {
        check_characters(text);
        collect(text);
        made_.places.emplace("", values_.empty() ? name_ : place_(values_.front().mark));
        const bool is_empty = values_.empty() || values_.front().is == kind::null;
        made_.root = is_empty ? boost::json::object() : value(0, "", 0);
        return std::move(made_);
    }

private:
    using kind = yaml_value::kind;

    /// yaml-cpp takes a byte of 4 for the file's end, and passes on bytes that are not UTF-8.
    void check_characters(std::string_view text) const {
        for (std::size_t at = 0; at < text.size();) {
            const auto size = utf8_sequence(text.substr(at));
            const char c = text[at];
            if (size == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t')) {
                YAML::Mark mark;
                mark.line = static_cast<int>(std::ranges::count(text.substr(0, at), '\n'));
                mark.column = static_cast<int>(at - (text.substr(0, at).rfind('\n') + 1));
                throw config_error("", "not valid YAML: " + in_quotes(text.substr(at, 1)) + " is no character of a text in UTF-8",
                                   place_(mark));
            }
            at += size;
        }
    }

    void collect(std::string_view text) {
        config_budget budget;
        yaml_collector collector(place_, budget);
        try {
            std::istringstream in{std::string(text)};
            YAML::Parser parser(in);
            while (parser.HandleNextDocument(collector)) {}
        } catch (const YAML::Exception& e) {
            throw config_error("", "not valid YAML: " + printable(e.msg, 200), place_(e.mark));
        }
        values_ = collector.take();
    }

    /// The value that stands at `index`, or behind the alias there.
    const yaml_value& resolved(std::size_t& index) const {
        if (values_[index].is == kind::alias) index = values_[index].of;  // an anchor is at a value, never at an alias
        return values_[index];
    }

    boost::json::value value(std::size_t index, const std::string& pointer, std::size_t depth) {
        const auto& from = resolved(index);
        budget_.spend(pointer.size() + from.text.size(), [&] { return place_(from.mark); });
        switch (from.is) {
            case kind::alias:
            case kind::null: return nullptr;
            case kind::plain: return plain(from.text);
            case kind::text: return boost::json::value(from.text);
            case kind::sequence:
            case kind::map: break;
        }
        if (depth == config_budget::max_depth) throw config_budget::too_deep(place_(from.mark));  // by aliases
        if (from.is == kind::sequence) return sequence(index, pointer, depth);
        return map(index, pointer, depth);
    }

    boost::json::value sequence(std::size_t index, const std::string& pointer, std::size_t depth) {
        boost::json::array array;
        for (auto element = index + 1; element != values_[index].end; element = values_[element].end) {
            const auto here = pointer + '/' + std::to_string(array.size());
            auto named = element;
            made_.places.emplace(here, place_(resolved(named).mark));
            array.push_back(value(element, here, depth + 1));
        }
        return array;
    }

    boost::json::value map(std::size_t index, const std::string& pointer, std::size_t depth) {
        boost::json::object object;
        for (auto member = index + 1; member != values_[index].end;) {
            auto named = member;
            const auto& key = resolved(named);
            const auto place = place_(values_[member].mark);
            if (key.is != kind::plain && key.is != kind::text) throw config_error(pointer, "a key must be a scalar", place);
            const path top;
            const auto here = pointer + path(top, key.text).pointer();
            if (!made_.places.emplace(here, place).second) {
                throw config_error(here, "the key is there twice: remove one", place);
            }
            const auto of = values_[member].end;
            object[key.text] = value(of, here, depth + 1);
            member = values_[of].end;
        }
        return object;
    }

    static boost::json::value plain(std::string_view text) {
        const auto is_one_of = [&](const std::array<std::string_view, 3>& words) {
            return std::ranges::find(words, text) != words.end();
        };
        if (is_one_of({"true", "True", "TRUE"})) return true;
        if (is_one_of({"false", "False", "FALSE"})) return false;
        const auto digits = text.starts_with('+') ? text.substr(1) : text;
        const auto* const end = digits.data() + digits.size();
        std::int64_t whole = 0;
        const auto as_whole = std::from_chars(digits.data(), end, whole);
        if (as_whole.ec == std::errc() && as_whole.ptr == end) return whole;
        double number = 0;
        const bool may_be_number = digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
        const auto as_number = std::from_chars(digits.data(), end, number);
        if (may_be_number && as_number.ec == std::errc() && as_number.ptr == end) return number;
        return boost::json::value(text);
    }

    const std::string& name_;
    const yaml_place place_;
    config_budget budget_;  // of what the aliases stand for too
    std::vector<yaml_value> values_;
    config_document made_;
};

}  // namespace detail

/// Reads .yaml and .yml files: for `app::accept` and `config_sources::format`. Errors of its `read`: `config_error`.
inline config_format yaml_format() {
    config_format made;
    made.endings = {".yaml", ".yml"};
    made.read = [](std::string_view text, const std::string& name) { return detail::yaml_reader(name).read(text); };
    return made;
}

}  // namespace taskflux
