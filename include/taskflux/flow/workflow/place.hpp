#pragma once

#include <taskflux/broker/journal.hpp>
#include <taskflux/detail/fnv1a.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// What a handler did at a place.
enum class call_kind { subtask, subtasks, map, sleep, signal, any };

/// One call of a handler: its name in the journal, which is its position unless the handler names it, and its kind.
struct place {
    place(std::string n, call_kind k) : name(std::move(n)), kind(k) {}

    std::string name;
    call_kind kind;

    static bool is_position(std::string_view name) { return name.find_first_not_of("0123456789") == std::string_view::npos; }
    bool is_position() const { return is_position(name); }
};

/// The kinds of calls, each with what an attempt that has made such a call has under its name, and with words for people.
struct call_trace {
    call_kind kind;
    char letter;
    std::string_view before, after;
    const char* words;

    std::string key(const std::string& name) const { return letter + std::string(before) + name + std::string(after); }
};

inline constexpr std::array<call_trace, 6> call_traces{{
    {call_kind::subtask, journal_letter::subtask, "", "", "a subtask"},
    {call_kind::subtasks, journal_letter::subtask, "", ".0", "several subtasks"},
    {call_kind::map, journal_letter::step, "~map/", "", "a map"},
    {call_kind::sleep, journal_letter::step, "~sleep/", "", "a sleep"},
    {call_kind::signal, journal_letter::step, "~signal/", "", "a wait for a signal"},
    {call_kind::any, journal_letter::step, "~any/", "", "a choice of several (any)"},
}};

inline const call_trace& trace_of(call_kind kind) { return call_traces[static_cast<std::size_t>(kind)]; }

/// Whether a call of one kind may have what is a trace of the other: a map has subtasks.
inline bool is_same(call_kind a, call_kind b) {
    const auto several = [](call_kind kind) { return kind == call_kind::subtasks || kind == call_kind::map; };
    return a == b || (several(a) && several(b));
}

/// What the names of steps begin with among those of calls that may lose against others: no call has such a name.
inline constexpr std::string_view step_contest = "~step/";
inline std::string contest_of_step(const std::string& name) { return std::string(step_contest) + name; }

/// The number that an entry of a journal begins with.
template <class Number = std::size_t>
Number number_in(std::string_view text) {
    Number number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// Tells payloads apart: FNV-1a of 64 bits, as 16 hexadecimal digits. Not for adversaries.
inline std::string digest_of(std::string_view payload) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(fnv1a(payload)));
    return text;
}

}  // namespace taskflux::detail
