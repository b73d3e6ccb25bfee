#include "report.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace {

constexpr std::size_t rows_shown = 20;

struct column_widths {
    int size, lines, words, turn;
};

void print_row(const column_widths& widths, const std::array<std::string, 7>& cells) {
    std::printf("%*s  %*s  %*s  %-12s  %-7s  %*s  %s\n", widths.size, cells[0].c_str(), widths.lines, cells[1].c_str(),
                widths.words, cells[2].c_str(), cells[3].c_str(), cells[4].c_str(), widths.turn, cells[5].c_str(),
                cells[6].c_str());
}

std::string files(std::size_t count) { return grouped(count) + (count == 1 ? " file" : " files"); }

/// "express 1 to 120", from the turns of one queue's files.
std::string turns(const run_report& report, const std::string& queue) {
    std::uint64_t first = 0, last = 0;
    for (const auto& row : report.rows) {
        if (row.how != ending::measured || row.queue != queue) continue;
        if (first == 0 || row.facts.turn < first) first = row.facts.turn;
        last = (std::max)(last, row.facts.turn);
    }
    if (first == 0) return queue + " none";
    return queue + ' ' + grouped(first) + (first == last ? "" : " to " + grouped(last));
}

void print_measured(const run_report& report, bool all) {
    std::vector<const file_row*> chosen;
    file_facts total;
    for (const auto& row : report.rows) {
        if (row.how != ending::measured) continue;
        chosen.push_back(&row);
        total.size += row.facts.size;
        total.lines += row.facts.lines;
        total.words += row.facts.words;
    }
    const auto measured = chosen.size();
    if (measured == 0) return;
    if (!all && measured > rows_shown) {
        std::ranges::sort(chosen, [](const file_row* a, const file_row* b) {
            return a->facts.size != b->facts.size ? a->facts.size > b->facts.size : a->name < b->name;
        });
        chosen.resize(rows_shown);
    }
    const auto width = [](std::uint64_t largest, std::size_t title) {
        return static_cast<int>((std::max)(grouped(largest).size(), title));
    };
    const column_widths widths{width(total.size, 4), width(total.lines, 5), width(total.words, 5),
                               width(report.rows.size(), 4)};
    print_row(widths, {"size", "lines", "words", "sha256", "queue", "turn", "file"});
    for (const auto* row : chosen) {
        const auto& facts = row->facts;
        print_row(widths, {grouped(facts.size), grouped(facts.lines), grouped(facts.words), facts.sha256.substr(0, 12),
                           row->queue, grouped(facts.turn), printable(row->name)});
    }
    print_row(widths, {grouped(total.size), grouped(total.lines), grouped(total.words), "", "", "",
                       "in " + files(measured)});
    if (chosen.size() < measured) {
        std::printf("(the %zu largest; --all shows the other %s too)\n", chosen.size(),
                    grouped(measured - chosen.size()).c_str());
    }
}

void print_failed(const run_report& report, bool all) {
    const auto failed = report.count(ending::failed);
    std::size_t shown = 0;
    for (const auto& row : report.rows) {
        if (row.how != ending::failed || (!all && shown == rows_shown)) continue;
        if (++shown == 1) std::printf("\n");
        std::printf("failed    %s: %s\n", printable(row.name).c_str(), printable(row.reason).c_str());
    }
    if (shown < failed) std::printf("failed    %s more; --all shows them\n", grouped(failed - shown).c_str());
}

}  // namespace

std::size_t run_report::count(ending how) const {
    return static_cast<std::size_t>(std::ranges::count(rows, how, &file_row::how));
}

void print_table(const run_report& report, bool all) {
    std::printf("\n");
    print_measured(report, all);
    print_failed(report, all);
    const auto bulk = turns(report, "bulk");
    std::printf("\norder     %s; %s%s\n", turns(report, "express").c_str(), bulk.c_str(),
                bulk == "bulk none" ? "" : " (submitted first, served last)");
    if (report.retries) std::printf("retry     %s\n", report.retries->c_str());
    if (report.skipped > 0) std::printf("skipped   %s links, sockets and the like\n", grouped(report.skipped).c_str());
    std::printf("%s measured, %s failed, ", files(report.count(ending::measured)).c_str(),
                grouped(report.count(ending::failed)).c_str());
    if (report.is_interrupted) std::printf("%s given up, ", grouped(report.count(ending::given_up)).c_str());
    std::printf("%.1f s\n", static_cast<double>(report.took.count()) / 1000);
    if (report.is_interrupted) std::printf("interrupted: the table is partial\n");
}
