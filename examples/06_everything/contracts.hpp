#pragma once

#include <taskflux/core/task.hpp>

#include <cstdint>
#include <string>

// The tasks of this program: what a client that submits them and a worker that runs them have to share.

/// A file, by its absolute path as `encode_name` writes it: a payload is JSON, a file's name need not be UTF-8.
struct file_name {
    std::string path;
};
BOOST_DESCRIBE_STRUCT(file_name, (), (path))

struct file_facts {
    std::uint64_t size = 0;
    std::uint64_t lines = 0;  ///< line feeds, as `wc -l` counts
    std::uint64_t words = 0;  ///< runs of bytes that are not ASCII white space
    std::string sha256;
    std::uint64_t turn = 0;   ///< the worker's how manyeth file this was
};
BOOST_DESCRIBE_STRUCT(file_facts, (), (size, lines, words, sha256, turn))

inline constexpr taskflux::task<file_facts(file_name)> measure{"everything.measure"};

/// Fails as often as its payload says and then succeeds, with the number of the attempt that did.
inline constexpr taskflux::task<unsigned(unsigned)> flaky{
    "everything.flaky",
    taskflux::task_options{}
        .queue("express")
        .priority(10)  // after its back-off it goes ahead of the files that wait
        .retry(taskflux::retry_policy::exponential(std::chrono::milliseconds(100)).attempts(5))};
