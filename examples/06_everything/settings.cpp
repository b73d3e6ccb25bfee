#include "settings.hpp"

#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <thread>

namespace {

constexpr unsigned most_threads = 256;

unsigned parse_threads(std::string_view text) {
    unsigned number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || end != text.data() + text.size() || number < 1 || number > most_threads) {
        throw usage_error("--threads " + printable(text) + ": a number from 1 to " + std::to_string(most_threads) +
                          " is needed");
    }
    return number;
}

}  // namespace

std::string help_text() {
    return R"(usage: quickstart [OPTION]... [FILE or FOLDER]...

Measures files, one task each: size, lines, words and SHA-256. Small files go through the queue "express",
files above the average size through "bulk", which is served only when "express" is empty. One more task
fails twice on purpose, to show its retries. Folders are read with all that is in them; symbolic links in
them are not followed. Ctrl-C lets the files under way finish; a second one quits at once.

  --threads N   threads that read files, 1 to 256 (default: one a core)
  --url URL     where tasks are kept: memory:// (default: this process) or redis://host:port, where a second
                process runs them
  --all         show every file, not only the largest ones
  --json        print the results as one JSON document instead of a table; in its paths, bytes that are not
                UTF-8 are written %XX, and % is written %25
  --tree DIR    the folder to read when none is named, but for its .git, build and .deps (default: .)
  -h, --help    print this
  --worker      only run the tasks of others at the URL, until standard input ends
  --            what follows are files and folders, even if it starts with -

Progress goes to standard error: as a live bar on a terminal, as lines elsewhere.

exit codes: 0 all files were measured; 1 some could not be; 2 wrong usage, no such file, nothing to do;
            3 the queue broke down; 130 interrupted
)";
}

settings parse(int count, const char* const* arguments) {
    settings parsed;
    bool only_paths = false;
    for (int i = 1; i < count; ++i) {
        const std::string argument = arguments[i];
        const auto is = [&](std::string_view option) { return argument == option; };
        const auto value_of = [&](std::string_view option) -> std::string {
            if (argument.size() > option.size()) return argument.substr(option.size() + 1);
            if (++i == count) throw usage_error(argument + " needs a value");
            return arguments[i];
        };
        const auto takes_value = [&](std::string_view option) {
            return is(option) || argument.starts_with(std::string(option) + '=');
        };
        if (only_paths || !argument.starts_with('-') || is("-")) {
            parsed.paths.push_back(argument);
        } else if (is("--")) {
            only_paths = true;
        } else if (is("-h") || is("--help")) {
            parsed.help = true;
        } else if (is("--all")) {
            parsed.all = true;
        } else if (is("--worker")) {
            parsed.worker = true;
        } else if (is("--json")) {
            parsed.json = true;
        } else if (takes_value("--threads")) {
            parsed.threads = parse_threads(value_of("--threads"));
        } else if (takes_value("--url")) {
            parsed.url = value_of("--url");
        } else if (takes_value("--tree")) {
            parsed.tree = value_of("--tree");
        } else {
            throw usage_error("there is no option " + printable(argument) +
                              "; there are --threads, --url, --all, --json, --tree, --worker and --help");
        }
    }
    if (parsed.threads == 0) parsed.threads = (std::max)(1U, std::thread::hardware_concurrency());
    if (parsed.worker && parsed.is_in_memory()) throw usage_error("--worker needs --url redis://host:port");
    return parsed;
}
