#pragma once

#include <string>
#include <vector>

namespace taskflux::detail {

/// The command line of an app.
struct command_line {
    std::string config;  ///< empty: none
    std::string env;     ///< empty: none
    bool check = false;
    bool help = false;
    bool version = false;
};

/// Reads the arguments after the program's name. Throws `config_error` for an unknown option.
command_line parse_command_line(const std::vector<std::string>& words);

/// The text that --help prints.
std::string help_text(const std::string& program);

}  // namespace taskflux::detail
