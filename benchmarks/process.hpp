#pragma once

// A benchmark's other processes: the same program again, with words that say which part it plays. They talk by
// lines: the part says `ready`, hears `go`, says `done <begin> <end>` (nanoseconds of the clock that all
// processes of the machine share), and ends when its input does.

#include "harness.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

inline std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

struct period {
    std::int64_t begin = 0;
    std::int64_t end = 0;

    nanoseconds length() const { return nanoseconds(double(end - begin)); }
};

/// This program again, with other words. Killed with this object, unless it has ended.
class process {
public:
    explicit process(std::vector<std::string> words) {
        int to[2], from[2];
        if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("no more pipes");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(to[0], 0);
            ::dup2(from[1], 1);
            std::string self = "/proc/self/exe";
            std::vector<char*> pointers{self.data()};
            for (auto& word : words) pointers.push_back(word.data());
            pointers.push_back(nullptr);
            ::execv(self.data(), pointers.data());
            ::_exit(127);
        }
        ::close(to[0]);
        ::close(from[1]);
        to_ = to[1];
        from_ = ::fdopen(from[0], "r");
        expect("ready");
    }

    process(const process&) = delete;
    process& operator=(const process&) = delete;

    ~process() {
        ::close(to_);
        std::fclose(from_);
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }

    /// The processor time that it has taken so far, in microseconds.
    double cpu_us() const {
        clockid_t clock{};
        timespec time{};
        if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
            throw std::runtime_error("another process of the benchmark has died");
        }
        return double(time.tv_sec) * 1e6 + double(time.tv_nsec) / 1e3;
    }

    void go() const {
        if (::write(to_, "go\n", 3) != 3) throw std::runtime_error("another process of the benchmark has died");
    }

    period done() const {
        std::istringstream text(expect("done"));
        period measured;
        text >> measured.begin >> measured.end;
        return measured;
    }

private:
    std::string expect(const std::string& word) const {
        char text[256];
        if (std::fgets(text, sizeof text, from_) == nullptr) {
            throw std::runtime_error("another process of the benchmark ended before it was " + word);
        }
        const std::string line(text);
        if (!line.starts_with(word)) throw std::runtime_error("expected '" + word + "', not '" + line + "'");
        return line.substr(word.size());
    }

    pid_t pid_ = 0;
    int to_ = -1;
    std::FILE* from_ = nullptr;
};

/// The other side of `process`.
inline void say_ready() { std::cout << "ready" << std::endl; }

inline void await_go() {
    std::string line;
    if (!std::getline(std::cin, line) || line != "go") throw std::runtime_error("expected 'go'");
}

inline void say_done(period measured) {
    std::cout << "done " << measured.begin << ' ' << measured.end << std::endl;
}

}  // namespace bench
