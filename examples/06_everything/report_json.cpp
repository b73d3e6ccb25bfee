#include "report.hpp"
#include "text.hpp"

#include <taskflux/core/codec.hpp>

#include <cstdio>

namespace {

struct json_file {
    std::string path;
    std::string queue;
    ending state = ending::measured;
    std::optional<file_facts> facts;
    std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(json_file, (), (path, queue, state, facts, reason))

struct json_report {
    std::vector<json_file> files;
    std::size_t skipped = 0;
    std::optional<std::string> retries;
    bool interrupted = false;
    std::chrono::milliseconds took_ms{};
};
BOOST_DESCRIBE_STRUCT(json_report, (), (files, skipped, retries, interrupted, took_ms))

}  // namespace

void print_json(const run_report& report) {
    json_report out{{}, report.skipped, report.retries, report.is_interrupted, report.took};
    for (const auto& row : report.rows) {
        auto& file = out.files.emplace_back(json_file{encode_name(row.name), row.queue, row.how, {}, {}});
        if (row.how == ending::measured) file.facts = row.facts;
        if (row.how == ending::failed) file.reason = row.reason;
    }
    const auto text = taskflux::encode(out);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
}
