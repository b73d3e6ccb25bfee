#pragma once

#include "settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

struct found_file {
    std::string path;   ///< absolute
    std::string shown;  ///< as the user named it
    std::uint64_t size = 0;
};

/// A folder that could not be read.
struct unreadable_folder {
    std::string shown;
    std::string reason;
};

struct found {
    std::vector<found_file> files;  ///< each once, sorted by `shown`
    std::vector<unreadable_folder> unreadable;
    std::size_t skipped = 0;  ///< symbolic links, sockets and the like
};

/// Finds the files that `wanted` names. Throws `usage_error` for a path that does not exist.
found find_files(const settings& wanted);
