#pragma once

#include <taskflux/http/fasttask/running_id.hpp>
#include <taskflux/http/secrets/digest.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

namespace deployment {

inline constexpr std::size_t id_size = 8;

/// A row beside schedules, in a queue of its own: compare-and-set, and kept for ever. Schedulers pass over what is none of theirs.
inline constexpr std::string_view queue = "fasttask", row = "running_id", front = "fasttask running id ";

inline bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

inline std::string new_id() {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t fair = 256 / letters.size() * letters.size();
    std::string made;
    while (made.size() < id_size) {
        for (const char random : http::secrets::random_bytes(id_size)) {
            const std::size_t at = static_cast<unsigned char>(random);
            if (at < fair && made.size() < id_size) made += letters[at % letters.size()];
        }
    }
    return made;
}

/// What is stored, if it is an id.
inline std::string_view id_in(std::string_view text) {
    if (!text.starts_with(front)) return {};
    text.remove_prefix(front.size());
    return text.size() == id_size && std::ranges::all_of(text, is_letter_or_digit) ? text : std::string_view();
}

}  // namespace deployment

asio::awaitable<std::string> fasttask_running_id(broker_ptr broker) {
    for (;;) {
        auto reading = broker->schedule(std::string(deployment::queue), std::string(deployment::row));
        const std::string stored = co_await std::move(reading);
        if (const auto found = deployment::id_in(stored); !found.empty()) co_return std::string(found);
        auto made = deployment::new_id();
        std::vector<new_task> none;
        auto writing = broker->set_schedule(std::string(deployment::queue), std::string(deployment::row), stored,
                                            std::string(deployment::front) + made, std::move(none));
        const bool is_ours = co_await std::move(writing);
        if (is_ours) co_return made;
    }
}

std::string random_uuid() {
    constexpr std::string_view hex = "0123456789abcdef";
    constexpr std::size_t size = 16;
    auto bytes = http::secrets::random_bytes(size);
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    std::string made;
    for (std::size_t i = 0; i < size; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) made += '-';
        const auto byte = static_cast<unsigned char>(bytes[i]);
        made += hex[byte >> 4];
        made += hex[byte & 15];
    }
    return made;
}

std::string new_fasttask_id(std::string_view running_id) { return std::string(running_id) + '-' + random_uuid(); }

}  // namespace taskflux::detail
