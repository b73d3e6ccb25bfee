#pragma once

#include <taskflux/core/codec/parse.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/search.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/time_text.hpp>

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

namespace taskflux {

namespace detail {

/// Reads a filter's qualifiers one by one.
class search_reader {
public:
    search_reader(std::string_view text, time_point now) : text_(text), now_(now) {}

    search_filter read() {
        for (skip_blanks(); at_ < text_.size(); skip_blanks()) read_one();
        return std::move(made_);
    }

private:
    static constexpr std::string_view known = "queue, state, task, key, error, node, id, since, until";
    static constexpr std::string_view payload = "payload.";

    /// `from`: where it stands.
    [[noreturn]] static void refuse(std::size_t from, const std::string& what) {
        throw error(errc::invalid_argument, "a search can't be read at character " + std::to_string(from + 1) + ": " + what);
    }

    void skip_blanks() { at_ = (std::min)(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

    void read_one() {
        const auto from = at_;
        const auto end = (std::min)(text_.find_first_of(" \t\r\n", from), text_.size());
        const auto word = text_.substr(from, end - from);
        if (looks_like_printed_id(word) && !begins_as_qualifier(word)) {
            at_ = end;
            return set(from, "id", made_.id, std::string(word));
        }
        const auto colon = word.find_first_of(":\"");
        if (colon == std::string_view::npos || colon == 0 || word[colon] != ':') {
            refuse(from, in_quotes(word) + " is no qualifier and its value, such as task:send_mail or error:timeout");
        }
        const auto name = word.substr(0, colon);
        at_ = from + colon + 1;
        const auto value_at = at_;
        take(from, name, value_at, read_value());
    }

    /// A queue may have a qualifier's name: what is meant most likely is the qualifier, and `id:` says the other.
    static bool begins_as_qualifier(std::string_view word) {
        const auto name = word.substr(0, (std::min)(word.find(':'), word.size()));
        constexpr std::string_view names[] = {"queue", "state", "task", "key", "error", "node", "id", "since", "until"};
        return name.starts_with(payload) || std::ranges::find(names, name) != std::end(names);
    }

    std::string read_value() {
        const auto from = at_;
        std::string value;
        if (at_ == text_.size() || text_[at_] != '"') {
            at_ = (std::min)(text_.find_first_of(" \t\r\n", at_), text_.size());
            value = text_.substr(from, at_ - from);
            if (value.empty()) refuse(from, "there is no value behind the colon; a blank value is written \"\"");
            if (value.find('"') != std::string::npos) refuse(from, "a quote stands within a value: put all of it into quotes, and write \\\"");
            return value;
        }
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                ++at_;
                if (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) == std::string_view::npos) {
                    refuse(at_, "behind a value in quotes comes a blank");
                }
                return value;
            }
            if (text_[at_] == '\\' && ++at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') {
                refuse(at_ - 1, "in quotes, \\\" and \\\\ are all that begins with a backslash");
            }
            if (at_ < text_.size()) value += text_[at_];
        }
        refuse(from, "the quote is not closed: put \" behind the value");
    }

    void take(std::size_t from, std::string_view name, std::size_t value_at, std::string value) {
        if (name == "queue") {
            if (!is_valid_name(value)) refuse(value_at, in_quotes(value) + " can be no queue's name");
            return set(from, name, made_.queue, std::move(value));
        }
        if (name == "task") return set(from, name, made_.task, std::move(value));
        if (name == "key") return set(from, name, made_.key, std::move(value));
        if (name == "error") return set(from, name, made_.error, std::move(value));
        if (name == "node") return set(from, name, made_.node, std::move(value));
        if (name == "id") return set(from, name, made_.id, std::move(value));
        if (name == "state") return take_states(from, value_at, value);
        if (name == "since") return take_time(from, value_at, value, has_since_, made_.since);
        if (name == "until") return take_time(from, value_at, value, has_until_, made_.until);
        auto path = name;
        if (path.starts_with(payload)) path.remove_prefix(payload.size());
        else if (path.find('.') == std::string_view::npos) {
            refuse(from, in_quotes(name) + " is no qualifier: there are " + std::string(known) + "; a member of the payload is " +
                             std::string(payload) + printable(name));
        }
        if (path.empty() || path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos) {
            refuse(from, in_quotes(name) + " is no path in a payload: it is names with single dots in between");
        }
        made_.payload.push_back({std::string(path), std::move(value)});
    }

    void set(std::size_t from, std::string_view name, std::string& to, std::string value) {
        if (!to.empty()) refuse(from, std::string(name) + " is there twice: leave one of them out");
        if (value.empty()) refuse(from, std::string(name) + " has an empty value: leave it out");
        to = std::move(value);
    }

    void take_states(std::size_t from, std::size_t value_at, std::string_view value) {
        if (!made_.states.empty()) refuse(from, "state is there twice: put commas between several");
        for (std::size_t at = 0; at <= value.size();) {
            const auto end = (std::min)(value.find(',', at), value.size());
            const auto word = std::string(value.substr(at, end - at));
            task_state state{};
            if (!boost::describe::enum_from_string(word.c_str(), state)) {
                std::string all;
                for (std::size_t n = 0; n != task_state_count; ++n) {
                    all += (n > 0 ? ", " : "") + std::string(boost::describe::enum_to_string(static_cast<task_state>(n), ""));
                }
                refuse(value_at, in_quotes(word) + " is no state: there are " + all);
            }
            if (std::ranges::find(made_.states, state) == made_.states.end()) made_.states.push_back(state);
            at = end + 1;
        }
        std::ranges::sort(made_.states);
    }

    void take_time(std::size_t from, std::size_t value_at, std::string_view value, bool& is_there, time_point& to) {
        if (std::exchange(is_there, true)) refuse(from, "a time is there twice: leave one of them out");
        const auto when = value == "now" ? now_ : value.starts_with('-') ? ago(value.substr(1)) : moment(value);
        if (!when) {
            refuse(value_at, in_quotes(value) + " is no time: write -15m (s, m, h, d, w), 2026-01-31, 2026-01-31T12:00:00Z or now");
        }
        to = (std::max)(*when, time_point{});  // before there were tasks
    }

    std::optional<time_point> ago(std::string_view span) const {
        std::uint32_t count = 0;
        const auto* const end = span.data() + span.size();
        const auto read = std::from_chars(span.data(), end, count);
        if (read.ec != std::errc{} || read.ptr + 1 != end) return std::nullopt;
        const auto unit = unit_of(*read.ptr);
        if (unit == duration{}) return std::nullopt;
        return now_ - count * unit;
    }

    /// In milliseconds, whose 64 bits hold every count: `std::chrono::weeks` may count in 32.
    static duration unit_of(char letter) {
        using namespace std::chrono;
        switch (letter) {
            case 's': return seconds(1);
            case 'm': return minutes(1);
            case 'h': return hours(1);
            case 'd': return days(1);
            case 'w': return weeks(1);
            default: return {};
        }
    }

    static std::optional<time_point> moment(std::string_view text) {
        constexpr std::size_t date = 10;
        std::string pattern = "%Y-%m-%d";
        if (text.size() > date) {
            const auto clock = text.substr(date);
            pattern += clock.front() == ' ' ? " %H:%M" : "T%H:%M";
            const auto zone = (std::min)(clock.find_first_of("Z+-"), clock.size());
            if (std::ranges::count(clock.substr(0, zone), ':') > 1) pattern += ":%S";
            if (clock.substr(0, zone).find('.') != std::string_view::npos) pattern += ".%f";
            if (zone < clock.size()) pattern += "%z";
        }
        try {
            return parse_time(text, zone(), pattern);
        } catch (const taskflux::error&) {
            return std::nullopt;
        }
    }

    const std::string_view text_;
    const time_point now_;
    std::size_t at_ = 0;
    search_filter made_;
    bool has_since_ = false, has_until_ = false;
};

/// A value as a filter's text has it.
inline std::string search_value(std::string_view value) {
    const bool is_plain = !value.empty() && value.find_first_of(" \t\r\n\"\\~") == std::string_view::npos;  // nor the mark of an id
    if (is_plain) return std::string(value);
    std::string out = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

inline bool is_value(const boost::json::value& found, const std::string& wanted) {
    if (const auto* const text = found.if_string()) return std::string_view(text->data(), text->size()) == wanted;
    if (found.is_structured()) return false;
    if (boost::json::serialize(found) == wanted) return true;
    if (!found.is_number()) return false;
    try {  // 42 is 42.0
        const auto number = parse_json(wanted, decode_limits(), {});
        return number.is_number() && number.to_number<double>() == found.to_number<double>() &&
               (number.is_double() || found.is_double());
    } catch (const std::exception&) {
        return false;
    }
}

/// Whether there is that value at a path. An array has it where one of its elements has.
inline bool has_value(const boost::json::value& in, std::string_view path, const std::string& wanted) {
    if (path.empty()) {
        const auto* const all = in.if_array();
        return all ? std::ranges::any_of(*all, [&](const auto& one) { return is_value(one, wanted); }) : is_value(in, wanted);
    }
    const auto dot = (std::min)(path.find('.'), path.size());
    const auto name = path.substr(0, dot), rest = path.substr((std::min)(dot + 1, path.size()));
    if (const auto* const object = in.if_object()) {
        const auto* const member = object->if_contains(name);
        return member && has_value(*member, rest, wanted);
    }
    const auto* const all = in.if_array();
    if (!all) return false;
    std::size_t place = 0;
    const auto* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data(), end, place);
    if (read.ec == std::errc{} && read.ptr == end) return place < all->size() && has_value((*all)[place], rest, wanted);
    return std::ranges::any_of(*all, [&](const auto& one) { return has_value(one, path, wanted); });
}

inline bool contains_words(std::string_view text, std::string_view wanted) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

bool is_error_group(std::string_view error) {
    constexpr std::size_t digits = 16;
    return error.size() == digits && error.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool asks_for_error_text(const search_filter& filter) { return !filter.error.empty() && !is_error_group(filter.error); }

bool asks_for_texts(const search_filter& filter) {
    return !filter.payload.empty() || asks_for_error_text(filter);
}

bool has_texts(const search_filter& filter, const task_record& task) {
    if (asks_for_error_text(filter)) {
        if (task.error.empty()) return false;
        const auto told = read_failure(task.error);
        const auto has = [&](const std::string& text) { return contains_words(text, filter.error); };
        if (!has(told.code) && !has(told.type) && !has(told.message)) return false;
    }
    if (filter.payload.empty()) return true;
    try {
        const document payload(task.payload, decode_limits());
        return std::ranges::all_of(filter.payload, [&](const payload_condition& one) {
            return has_value(payload.root(), one.path, one.value);
        });
    } catch (const std::exception&) {  // it is no JSON, or can't be read here
        return false;
    }
}

}  // namespace detail

search_filter parse_search(std::string_view text, time_point now) { return detail::search_reader(text, now).read(); }

std::string to_string(const search_filter& filter) {
    std::string out;
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!out.empty()) out += ' ';
        out.append(name) += ':' + value;
    };
    const auto add_text = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) add(name, detail::search_value(value));
    };
    const auto time = [](time_point when) { return format_time(when, zone(), "%Y-%m-%dT%H:%M:%S.%fZ"); };
    add_text("queue", filter.queue);
    std::string states;
    for (const auto state : filter.states) states += (states.empty() ? "" : ",") + std::string(boost::describe::enum_to_string(state, ""));
    if (!states.empty()) add("state", states);
    add_text("task", filter.task);
    add_text("key", filter.key);
    add_text("error", filter.error);
    add_text("node", filter.node);
    add_text("id", filter.id);
    if (filter.since != time_point{}) add("since", time(filter.since));
    if (filter.until != never) add("until", time(filter.until));
    for (const auto& one : filter.payload) add("payload." + one.path, detail::search_value(one.value));
    return out;
}

}  // namespace taskflux
