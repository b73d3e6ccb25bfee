#pragma once

#include "contracts.hpp"

#include <boost/describe/enum.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

enum class ending { measured, failed, given_up };
BOOST_DESCRIBE_ENUM(ending, measured, failed, given_up)

/// What became of a file.
struct file_row {
    std::string name;  ///< bytes, as the file system has them
    std::string queue;
    ending how = ending::given_up;
    file_facts facts;    ///< of a measured file
    std::string reason;  ///< why it failed
};

/// What became of the whole run.
struct run_report {
    std::vector<file_row> rows;         ///< sorted by name
    std::size_t skipped = 0;            ///< entries that are no files
    std::optional<std::string> retries; ///< what the flaky task went through, if it got to its end
    bool is_interrupted = false;
    std::chrono::milliseconds took{};

    std::size_t count(ending how) const;
};

void print_table(const run_report& report, bool all);
void print_json(const run_report& report);
