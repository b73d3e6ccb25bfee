// What does taskflux cost a user's compiler? Seconds and peak memory of each source in compile_time/, against
// one that includes no more of Boost than any coroutine program that speaks JSON does.

#include "harness.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

namespace {

struct cost {
    bench::nanoseconds time{};
    double cpu_seconds = 0;
    double megabytes = 0;
};

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

/// Runs a command and waits for it; its compiler processes are in what the kernel reports. Its output is
/// shown.
cost run(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    const auto start = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child == 0) {
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("failed: " + command.back());
    return {std::chrono::steady_clock::now() - start, seconds(usage.ru_utime) + seconds(usage.ru_stime),
            static_cast<double>(usage.ru_maxrss) / 1024};
}

/// A file in the temporary folder that is removed again.
class scratch_file {
public:
    scratch_file()
        : path_(std::filesystem::temp_directory_path() / ("bench." + std::to_string(::getpid()) + ".o")) {}
    ~scratch_file() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

/// Compiles `file`, below the project's folder.
std::vector<std::string> command_for(const std::string& file, const std::string& level, const std::string& object) {
    const std::string project = BENCH_PROJECT;
    const bool single = file.find("single_header") != std::string::npos;
    std::vector<std::string> command{BENCH_COMPILER, "-std=c++20", level,
                                     "-I" + project + (single ? "/single_include" : "/include")};
    std::istringstream folders(BENCH_BOOST);
    for (std::string folder; folders >> folder;) command.insert(command.end(), {"-isystem", folder});
    command.insert(command.end(), {"-c", "-o", object, "-w", "-x", "c++", project + '/' + file});
    return command;
}

void measure(bench::report& report, const std::string& level) {
    const std::vector<std::string> sources{"baseline", "submit", "worker", "single_header"};
    const scratch_file object;
    std::map<std::string, double> megabytes;
    std::vector<bench::candidate> candidates;
    for (const auto& source : sources)
        candidates.emplace_back(source, [&, source]() -> bench::nanoseconds {
            const cost taken = run(command_for("benchmarks/compile_time/" + source + ".cpp", level, object.path()));
            megabytes[source] = (std::max)(megabytes[source], taken.megabytes);
            return taken.time;
        });

    std::printf("\none source file, %s\n", level.c_str());
    const auto times = bench::interleave(3, std::move(candidates));
    for (const auto& source : sources) {
        report.figure(source + level, times[source].median / 1e9, "s");
        report.figure(source + level + "_peak", megabytes[source], "MB");
    }
    for (const auto& source : sources)
        if (source != "baseline")
            report.ratio(source + level, "asio_and_json" + level, times.ratio(source, "baseline"));
}

/// The bodies, which a program compiles once: CPU time of each part, and of all that a program without Redis needs; against
/// the bare headers, right before and after, as a slow or busy machine slows both.
void measure_bodies(bench::report& report) {
    const scratch_file object;
    const auto bare_headers = [&] {
        return run(command_for("benchmarks/compile_time/baseline.cpp", "-O0", object.path())).cpu_seconds;
    };
    double all = 0, embedded = 0, baseline = bare_headers();
    std::printf("\nthe bodies, -O0\n");
    for (const std::string part : {"json", "redis_client", "core", "redis", "flow", "app"}) {
        const cost taken = run(command_for("include/taskflux/src/" + part + ".hpp", "-O0", object.path()));
        report.figure("src_" + part, taken.cpu_seconds, "s");
        report.figure("src_" + part + "_peak", taken.megabytes, "MB");
        all += taken.cpu_seconds;
        if (!part.starts_with("redis") && part != "app") embedded += taken.cpu_seconds;
    }
    baseline = (baseline + bare_headers()) / 2;
    report.figure("src", all, "s");
    report.figure("src_embedded", embedded, "s");
    report.ratio("src", "asio_and_json", all / baseline);
    report.ratio("src_embedded", "asio_and_json", embedded / baseline);
}

}  // namespace

int main() {
    try {
        bench::report report{"compile_time"};
        measure(report, "-O0");
        measure(report, "-O2");
        measure_bodies(report);
    } catch (const std::exception& error) {
        std::cerr << "compile_time: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
