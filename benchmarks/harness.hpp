#pragma once

// What every benchmark shares: it says on which machine it ran, measures its candidates in turn, and ends in
// lines that a script can read:
//
//     figure <name> <value> <unit>
//     ratio <question> <against> <value>
//
//     int main() {
//         bench::report report{"my_question"};
//         auto times = bench::interleave(21, {{"ours", [] { return run_ours(10'000); }},
//                                             {"raw", [] { return run_raw(10'000); }}});
//         report.figure("ours", times["ours"].median, "ns");
//         report.ratio("ours", "raw", times.ratio("ours", "raw"));
//     }

#include <boost/version.hpp>

#include <malloc.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

using nanoseconds = std::chrono::duration<double, std::nano>;

/// Makes the compiler believe that `value` is read, so that computing it is not optimised away.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

/// Bytes that are allocated from the heap now, the allocator's own overhead per block included.
inline std::size_t heap_in_use() {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Processor time of this process so far, in microseconds.
inline double own_cpu_us() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) * 1e6 + double(time.tv_nsec) / 1e3;
}

/// A number with about four digits that matter and no exponent.
inline std::string number(double value) {
    char text[64];
    const double size = value < 0 ? -value : value;
    const int decimals = size == 0 || size >= 1000 ? 0
                         : size >= 100             ? 1
                         : size >= 10              ? 2
                         : size >= 0.1             ? 3
                                                   : 5;
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

/// One of several things that are compared. Its function runs one batch and returns either how many
/// operations that was (an integer: the batch is timed from outside), or what it measured itself per
/// operation (a duration: for a batch with a setup that must not count).
class candidate {
public:
    template <std::invocable Function>
    candidate(std::string name, Function function) : name_(std::move(name)) {
        if constexpr (std::integral<std::invoke_result_t<Function&>>) {
            measure_ = [function = std::move(function)]() mutable -> nanoseconds {
                const auto start = std::chrono::steady_clock::now();
                const auto operations = function();
                const nanoseconds elapsed = std::chrono::steady_clock::now() - start;
                return elapsed / static_cast<double>(operations);
            };
        } else {
            measure_ = [function = std::move(function)]() mutable -> nanoseconds { return function(); };
        }
    }

    const std::string& name() const { return name_; }
    nanoseconds measure() const { return measure_(); }

private:
    std::string name_;
    std::function<nanoseconds()> measure_;
};

/// What one candidate took over all rounds, in nanoseconds per operation.
struct measurement {
    std::string name;
    std::vector<double> rounds;
    double median = 0;
    double min = 0;
    double max = 0;
};

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

class measurements {
public:
    explicit measurements(std::vector<measurement> all) : all_(std::move(all)) {}

    const measurement& operator[](std::string_view name) const {
        for (const auto& one : all_)
            if (one.name == name) return one;
        throw std::invalid_argument("no candidate is named " + std::string(name));
    }

    /// How long `name` takes, relative to `against`: the median over the rounds of each round's own ratio.
    /// The machine drifts by tens of percent within minutes, so only neighbours in time are compared.
    double ratio(std::string_view name, std::string_view against) const {
        const auto& above = (*this)[name].rounds;
        const auto& below = (*this)[against].rounds;
        std::vector<double> ratios;
        for (std::size_t i = 0; i < above.size(); ++i) ratios.push_back(above[i] / below[i]);
        return median(std::move(ratios));
    }

    auto begin() const { return all_.begin(); }
    auto end() const { return all_.end(); }

private:
    std::vector<measurement> all_;
};

/// Runs every candidate once per round, each round in another order, and prints a table of the time per
/// operation. One more round at the start warms up and is not counted.
inline measurements interleave(std::size_t rounds, std::vector<candidate> candidates) {
    if (rounds == 0 || candidates.empty()) throw std::invalid_argument("nothing to measure");
    std::vector<measurement> all(candidates.size());
    for (std::size_t round = 0; round <= rounds; ++round) {
        for (std::size_t turn = 0; turn < candidates.size(); ++turn) {
            const auto index = (turn + round) % candidates.size();
            const double took = candidates[index].measure().count();
            if (round > 0) all[index].rounds.push_back(took);
        }
    }
    double longest = 0;
    for (std::size_t index = 0; index < all.size(); ++index) {
        auto& one = all[index];
        one.name = candidates[index].name();
        one.median = median(one.rounds);
        one.min = *std::min_element(one.rounds.begin(), one.rounds.end());
        one.max = *std::max_element(one.rounds.begin(), one.rounds.end());
        longest = (std::max)(longest, one.median);
    }
    const auto [unit, size] = longest < 1e5   ? std::pair{"ns", 1.0}
                              : longest < 1e8 ? std::pair{"us", 1e3}
                                              : std::pair{"ms", 1e6};
    std::printf("%-36s %12s %12s %12s   (%s per operation, n = %zu rounds)\n", "", "median", "min", "max",
                unit, rounds);
    for (const auto& one : all) {
        std::printf("%-36s %12s %12s %12s\n", one.name.c_str(), number(one.median / size).c_str(),
                    number(one.min / size).c_str(), number(one.max / size).c_str());
    }
    std::fflush(stdout);
    return measurements{std::move(all)};
}

/// Opens a benchmark's output with the machine and the build, and closes it with the figures and ratios, in
/// the order in which they were given. Prints no figures when the benchmark ends by an exception.
class report {
public:
    explicit report(std::string name) : uncaught_(std::uncaught_exceptions()) {
        utsname system{};
        ::uname(&system);
        std::printf("benchmark %s\n", name.c_str());
        std::printf("machine   %s, %u cores, %s %s\n", processor().c_str(),
                    std::thread::hardware_concurrency(), system.sysname, system.release);
        std::printf("compiler  %s, Boost %d.%d\n", compiler().c_str(), BOOST_VERSION / 100000,
                    BOOST_VERSION / 100 % 1000);
        std::printf("build     %s\n", build());
        std::fflush(stdout);
    }

    report(const report&) = delete;
    report& operator=(const report&) = delete;

    ~report() {
        if (std::uncaught_exceptions() > uncaught_) return;
        for (const auto& line : lines_) std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    }

    /// `name` and `unit` are single words, as the line is split at blanks.
    void figure(std::string_view name, double value, std::string_view unit) {
        lines_.push_back("figure " + word(name) + " " + number(value) + " " + word(unit));
    }

    /// `value` is what `question` takes, relative to `against`: below 1 is better than it.
    void ratio(std::string_view question, std::string_view against, double value) {
        lines_.push_back("ratio " + word(question) + " " + word(against) + " " + number(value));
    }

private:
    static std::string word(std::string_view text) {
        if (text.empty() || text.find_first_of(" \t\n") != text.npos)
            throw std::invalid_argument("'" + std::string(text) + "' is not a single word");
        return std::string(text);
    }

    static std::string processor() {
        std::ifstream info("/proc/cpuinfo");
        for (std::string line; std::getline(info, line);)
            if (line.starts_with("model name") && line.find(": ") != line.npos)
                return line.substr(line.find(": ") + 2);
        return "unknown processor";
    }

    static std::string compiler() {
#if defined(__clang__)
        return std::string("Clang ") + __clang_version__;
#else
        return std::string("GCC ") + __VERSION__;
#endif
    }

    static const char* build() {
#if !defined(__OPTIMIZE__)
        return "NOT OPTIMISED: these numbers mean nothing, use the release preset";
#elif !defined(NDEBUG)
        return "optimised, but WITH ASSERTIONS: use the release preset";
#else
        return "optimised";
#endif
    }

    int uncaught_;
    std::vector<std::string> lines_;
};

}  // namespace bench
