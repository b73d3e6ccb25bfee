#pragma once

#include <taskflux/app/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// What reading one config file may cost, whatever it holds, and whatever its aliases stand for.
class config_budget {
public:
    static constexpr std::size_t max_file_size = std::size_t(16) << 20;
    static constexpr std::size_t max_depth = 32;
    static constexpr std::size_t max_values = 1'000'000;
    static constexpr std::size_t max_text = std::size_t(64) << 20;  ///< of scalars and JSON pointers together

    static void check_size(std::size_t bytes, const std::string& name) {
        if (bytes <= max_file_size) return;
        throw config_error("", "larger than " + std::to_string(max_file_size >> 20) + " MiB: split it, or move data out of it", name);
    }

    static config_error too_deep(const std::string& place) {
        return {"", "nested deeper than " + std::to_string(max_depth) + " levels: use fewer", place};
    }

    /// Takes one value with so many bytes of text. `place` gives where it is, for the error.
    template <class Place>
    void spend(std::size_t bytes, Place place) {
        values_ += 1;
        text_ += bytes;
        if (values_ > max_values) {
            throw config_error("", "more than " + std::to_string(max_values) + " values, those behind aliases included: use fewer",
                               place());
        }
        if (text_ > max_text) {
            throw config_error("", "more than " + std::to_string(max_text >> 20) + " MiB of texts and of the keys around them, "
                                   "those behind aliases included: use fewer or shorter ones", place());
        }
    }

private:
    std::size_t values_ = 0;
    std::size_t text_ = 0;
};

}  // namespace taskflux::detail
