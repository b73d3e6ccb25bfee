#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace taskflux {

/// Names one task within its queue. `sequence` grows with every submission to the queue; `nonce` keeps
/// the id of a task of an earlier life of the queue from naming a task of this one.
struct task_key {
    std::uint64_t sequence = 0;  ///< from 1 on; 0 names no task
    std::uint32_t nonce = 0;

    friend auto operator<=>(const task_key&, const task_key&) = default;
};

/// Names a task everywhere: its queue and its key. Printed as "queue:~sequence.nonce" (base 36), so that
/// a task is found from its id alone.
struct task_id {
    std::string queue;
    task_key key;

    friend auto operator<=>(const task_id&, const task_id&) = default;
};

namespace detail {

constexpr bool is_name_character(char c) {
    constexpr std::string_view extra = "_-./";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || extra.find(c) != std::string_view::npos;
}

}  // namespace detail

/// Whether `name` may name a queue, a task or a service: 1 to 128 of A-Z a-z 0-9 _ - . /
constexpr bool is_valid_name(std::string_view name) {
    return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, detail::is_name_character);
}

/// Whether a text has the form of a printed id, "queue:~sequence.nonce": then nothing else may have it.
constexpr bool looks_like_printed_id(std::string_view text) {
    const auto colon = text.find(":~");
    if (colon == std::string_view::npos || !is_valid_name(text.substr(0, colon))) return false;
    const auto key = text.substr(colon + 2);
    const auto is_number = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        });
    };
    const auto point = key.find('.');
    return point != std::string_view::npos && is_number(key.substr(0, point)) && is_number(key.substr(point + 1));
}

/// Whether `id` may be a user's own task id: 1 to 256 bytes, no control characters, not starting with
/// '~' (which marks generated ids), and not in the form of a printed id.
constexpr bool is_valid_own_id(std::string_view id) {
    return !id.empty() && id.size() <= 256 && id.front() != '~' && !looks_like_printed_id(id) &&
           std::ranges::all_of(id, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

/// The printed form of a key: "~sequence.nonce".
inline std::string to_string(const task_key& key) {
    constexpr std::size_t most = 13;  // digits of 2^64 - 1 in base 36
    char sequence[most], nonce[most];
    const auto sequence_end = std::to_chars(sequence, sequence + most, key.sequence, 36).ptr;
    const auto nonce_end = std::to_chars(nonce, nonce + most, key.nonce, 36).ptr;
    std::string text = "~";
    return text.append(sequence, sequence_end).append(1, '.').append(nonce, nonce_end);
}

/// The printed form of an id: "queue:~sequence.nonce".
inline std::string to_string(const task_id& id) { return id.queue + ':' + to_string(id.key); }

/// Reads "~sequence.nonce", as `to_string` writes it. Throws `errc::invalid_argument` for any other text: no two texts name
/// one key.
inline task_key parse_task_key(std::string_view text) {
    task_key key;
    const char* const end = text.data() + text.size();
    if (text.starts_with('~')) {
        const auto sequence = std::from_chars(text.data() + 1, end, key.sequence, 36);
        if (sequence.ec == std::errc{} && sequence.ptr != end && *sequence.ptr == '.' && key.sequence > 0) {
            const auto nonce = std::from_chars(sequence.ptr + 1, end, key.nonce, 36);
            if (nonce.ec == std::errc{} && nonce.ptr == end && to_string(key) == text) return key;
        }
    }
    throw error(errc::invalid_argument, "not a task key: " + detail::in_quotes(text) +
                                            "; expected \"~sequence.nonce\" in base 36");
}

/// Reads "queue:~sequence.nonce". Throws `errc::invalid_argument` for any other text.
inline task_id parse_task_id(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !is_valid_name(text.substr(0, colon))) {
        throw error(errc::invalid_argument, "not a task id: " + detail::in_quotes(text) +
                                                "; expected \"queue:~sequence.nonce\"");
    }
    return {std::string(text.substr(0, colon)), parse_task_key(text.substr(colon + 1))};
}

}  // namespace taskflux
