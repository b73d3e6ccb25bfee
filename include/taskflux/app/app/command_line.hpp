#pragma once

#include <string>
#include <vector>

namespace taskflux::detail {

/// What the command line of an app asks for.
struct command_line {
    std::string config;  ///< empty: none
    std::string env;     ///< empty: none
    bool check = false;
    bool help = false;
    bool version = false;
};

/// The words behind the program's name. Throws `config_error` for what is not known.
command_line parse_command_line(const std::vector<std::string>& words);

/// What --help prints.
std::string help_text(const std::string& program);

}  // namespace taskflux::detail
