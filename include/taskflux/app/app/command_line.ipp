#pragma once

#include <taskflux/app/app/command_line.hpp>
#include <taskflux/app/config.hpp>
#include <taskflux/app/config/nearest.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace taskflux::detail {

command_line parse_command_line(const std::vector<std::string>& words) {
    static const std::vector<std::string> known{"--config", "--env", "--check-config", "--help", "--version"};
    const auto fail = [](const std::string& why) { throw config_error("", why, "command line"); };
    command_line found;
    for (std::size_t i = 0; i != words.size(); ++i) {
        const auto equals = words[i].find('=');
        const auto name = words[i].substr(0, equals);
        const bool takes_value = name == "--config" || name == "--env";
        if (std::ranges::find(known, name) == known.end()) {
            fail("unknown option \"" + shown_name(name) + '"' + allowed_instead(name, known));
        }
        if (!takes_value && equals != std::string::npos) fail(name + " takes no value");
        if (name == "--check-config") found.check = true;
        if (name == "--help") found.help = true;
        if (name == "--version") found.version = true;
        if (!takes_value) continue;
        if (equals == std::string::npos && i + 1 == words.size()) fail(name + " needs a value");
        const auto value = equals == std::string::npos ? words[++i] : words[i].substr(equals + 1);
        if (value.empty()) fail(name + " needs a value");
        (name == "--config" ? found.config : found.env) = value;
    }
    return found;
}

std::string help_text(const std::string& program) {
    return "usage: " + program + " [--config FILE] [--env TEST|STAGE|PRODUCTION] [--check-config]\n\n"
           "  --config FILE    the config file; default: the variable TASKFLUX_CONFIG\n"
           "  --env NAME       the environment, whose section of the config applies; default: the variable TASKFLUX_ENV\n"
           "  --check-config   check the config, print the first error, and exit\n"
           "  --help           print this text\n"
           "  --version        print the version of taskflux\n\n"
           "Environment variables win over the file: TASKFLUX_URL, TASKFLUX_CONCURRENCY, and so on for each key.\n"
           "SIGINT and SIGTERM stop the program: handlers may finish within drain_for; a second signal ends it at once.\n"
           "Exit codes: 0 stopped, 1 failed while running, 2 the command line or the config is wrong.\n";
}

}  // namespace taskflux::detail
