#pragma once

#include "fuzz.hpp"

#include <taskflux/app/config.hpp>
#include <taskflux/app/config/strict.hpp>

#include <functional>

namespace test {

/// A config is read, with a place for each of its values, or refused with the place of what is wrong.
inline void read_config(const std::function<taskflux::config_document(std::string_view, const std::string&)>& read,
                        std::string_view text) {
    try {
        const auto document = read(text, "app");
        require(document.places.contains(""), "the whole has a place");
        taskflux::app_config values;
        taskflux::detail::read_strictly(document.root, values);
        taskflux::check_config(values);
    } catch (const taskflux::config_error& e) {
        require_readable(e);
    }
}

}  // namespace test
