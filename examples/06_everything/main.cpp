// Everything in one program, which ./tools/quickstart runs: files are measured by tasks, in a queue for small
// and one for large ones, with progress, retries, a result for each, and an end that can be asked for.
//
// A tour: contracts.hpp names the tasks, handlers.cpp has what they do, session.cpp submits them and waits,
// runner.cpp has the worker, and worker_process.cpp a process for that when tasks are kept on a server. The rest is
// what any program has: settings (the command line), walk (finds files), digest (reads one), display, report.

#include "report.hpp"
#include "runner.hpp"
#include "session.hpp"
#include "settings.hpp"
#include "text.hpp"
#include "walk.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace {

int measure_all(const settings& wanted) {
    const auto what = find_files(wanted);
    if (what.files.empty() && what.unreadable.empty()) {
        const auto& where = wanted.paths.empty() ? wanted.tree : wanted.paths.front();
        throw usage_error("no files in " + printable(where) + (wanted.paths.size() > 1 ? " and the others" : ""));
    }
    run_report report;
    if (!what.files.empty()) report = measure_files(wanted, what);
    report.skipped = what.skipped;
    for (const auto& folder : what.unreadable) {
        auto& row = report.rows.emplace_back();
        row.name = folder.shown;
        row.how = ending::failed;
        row.reason = "cannot read this folder: " + folder.reason;
    }
    std::ranges::sort(report.rows, {}, &file_row::name);
    wanted.json ? print_json(report) : print_table(report, wanted.all);
    if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write the results");
    if (report.is_interrupted) return exit_interrupted;
    return report.count(ending::failed) > 0 ? exit_some_failed : exit_ok;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const auto wanted = parse(count, arguments);
        if (wanted.help) {
            std::fputs(help_text().c_str(), stdout);
            return exit_ok;
        }
        if (wanted.worker) {
            serve(wanted);
            return exit_ok;
        }
        return measure_all(wanted);
    } catch (const usage_error& e) {
        std::fprintf(stderr, "quickstart: %s\nquickstart: --help says what is possible\n", e.what());
        return exit_usage;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "quickstart: %s\n", e.what());
        return exit_broken;
    }
}
