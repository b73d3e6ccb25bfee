#pragma once

#include <taskflux/app/config.hpp>

#include <map>
#include <string>

namespace taskflux::detail {

/// A config, and the place of each value in its sources, for errors that are found later.
struct loaded_config {
    app_config values;
    std::map<std::string, std::string> places;

    /// The error with the place of its value.
    config_error placed(const config_error& e) const;
};

/// The path of a file as an error may show it: without what may be a password, where a URL was given in its place; `unknown`
/// where nothing of it is sure.
std::string shown_file(const std::string& path, const std::string& unknown);

loaded_config load(const config_sources& sources, const app_config& base);

}  // namespace taskflux::detail
