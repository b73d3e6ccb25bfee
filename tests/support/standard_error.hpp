#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <string>

#include <unistd.h>

namespace test {

/// Keeps what this process writes to standard error while it lives.
class standard_error {
public:
    standard_error() : kept_(std::tmpfile()), real_(dup(STDERR_FILENO)) {
        BOOST_REQUIRE(kept_ && real_ >= 0);
        std::fflush(stderr);
        dup2(fileno(kept_), STDERR_FILENO);
    }

    standard_error(const standard_error&) = delete;
    standard_error& operator=(const standard_error&) = delete;

    ~standard_error() {
        std::fflush(stderr);
        dup2(real_, STDERR_FILENO);
        close(real_);
        std::fclose(kept_);
    }

    std::string text() const {
        std::fflush(stderr);
        std::string all;
        char part[256];
        off_t at = 0;
        for (ssize_t read; (read = pread(fileno(kept_), part, sizeof part, at)) > 0; at += read) {
            all.append(part, static_cast<std::size_t>(read));
        }
        return all;
    }

private:
    std::FILE* kept_;
    int real_;
};

}  // namespace test
