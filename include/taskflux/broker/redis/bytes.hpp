#pragma once

#include <taskflux/broker/redis/layout.hpp>
#include <taskflux/core/error.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace taskflux::redis {

/// Appends a number in `Size` bytes, the lowest first.
template <std::size_t Size = 0, std::unsigned_integral T>
void put(std::string& out, T value) {
    for (std::size_t i = 0; i < (Size ? Size : sizeof(T)); ++i) {
        out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
    }
}

inline void put(std::string& out, double value) { put(out, std::bit_cast<std::uint64_t>(value)); }

/// Appends a text with its length in front, in as many bytes as `Length` has.
template <std::unsigned_integral Length = std::uint32_t>
void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<Length>(text.size()));
    out += text;
}

/// A number that is stored as a double: a time, a duration, the number of a task. Throws `errc::protocol` for what none of
/// them can be, and what a cast of would be undefined: nan, negative, beyond `stored_time::never`.
inline std::int64_t to_whole(double value) {
    if (!(value >= 0 && value <= stored_time::never)) {
        throw error(errc::protocol, "a stored record can't be read: one of its numbers is not between 0 and 10^15");
    }
    return std::llround(value);
}

/// Reads what `put` wrote. Throws `errc::protocol` where the bytes end too early.
class byte_reader {
public:
    explicit byte_reader(std::string_view bytes) : bytes_(bytes) {}

    template <std::unsigned_integral T, std::size_t Size = sizeof(T)>
    T number() {
        const auto from = take(Size);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < Size; ++i) value |= std::uint64_t(static_cast<unsigned char>(from[i])) << (8 * i);
        return static_cast<T>(value);
    }

    double real() { return std::bit_cast<double>(number<std::uint64_t>()); }
    std::int64_t whole() { return to_whole(real()); }

    template <std::unsigned_integral Length = std::uint32_t>
    std::string_view text() {
        const auto length = number<Length>();
        return take(length);
    }

    std::string_view take(std::size_t count) {
        if (count > bytes_.size()) throw error(errc::protocol, "a stored record can't be read: it ends too early");
        const auto taken = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return taken;
    }

    std::string_view rest() const { return bytes_; }

private:
    std::string_view bytes_;
};

}  // namespace taskflux::redis
