#pragma once

#include <stdexcept>
#include <string>
#include <vector>

/// What the command line asks for.
struct settings {
    std::vector<std::string> paths;
    std::string tree = ".";  ///< read when no path is given
    std::string url = "memory://";
    unsigned threads = 0;    ///< for the files
    bool all = false;
    bool json = false;
    bool help = false;
    bool worker = false;     ///< run tasks only, for another process of this program

    bool is_in_memory() const { return url.starts_with("memory:"); }
};

/// The user asked for something that can't be done; the text says what would be right.
class usage_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

enum exit_code { exit_ok = 0, exit_some_failed = 1, exit_usage = 2, exit_broken = 3, exit_interrupted = 130 };

std::string help_text();

/// Throws `usage_error`.
settings parse(int count, const char* const* arguments);
