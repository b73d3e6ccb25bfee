#pragma once

#include <taskflux/broker/broker/attempts.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/history.hpp>
#include <taskflux/core/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// Attempts at one task that did not end it, or whose number its state doesn't tell: the newest.
class past_attempts {
public:
    void add(past_attempt one) {
        if (newest() == one.token) return;
        one.error_size = one.error.size();
        if (one.error.size() > detail::most_kept::attempt_error) one.error.clear();
        all_.push_back(std::move(one));
        if (all_.size() > detail::most_kept::attempts) all_.erase(next_out()), ++left_out_;
    }

    /// The token of the last one, or 0.
    std::uint32_t newest() const { return all_.empty() ? 0 : all_.back().token; }

    attempt_list list() const { return {all_, left_out_}; }

private:
    /// The oldest, but no failure where more than half of them are none, as a task may sleep any number of times.
    std::vector<past_attempt>::const_iterator next_out() const {
        const auto is_pause = [](const past_attempt& one) { return detail::is_pause(one.outcome); };
        const auto pauses = static_cast<std::size_t>(std::ranges::count_if(all_, is_pause));
        return 2 * pauses > detail::most_kept::attempts ? std::ranges::find_if(all_, is_pause) : all_.begin();
    }

    std::vector<past_attempt> all_;
    std::size_t left_out_ = 0;
};

/// The newest lines of one task's log, numbered.
class task_log {
public:
    using line_list = std::deque<log_line>;

    void add(log_line line, unsigned attempt, const std::string& consumer) {
        line.from.emplace();
        line.from->number = ++last_;
        line.from->attempt = attempt;
        line.from->consumer = consumer;
        bytes_ += size_of(line);
        if (!lines_) lines_ = std::make_unique<line_list>();
        lines_->push_back(std::move(line));
        while (lines_->size() > 1 && (lines_->size() > detail::most_kept::log_lines || bytes_ > detail::most_kept::log_bytes)) {
            bytes_ -= size_of(lines_->front());
            lines_->pop_front();
        }
    }

    const line_list& lines() const {
        static const line_list none;
        return lines_ ? *lines_ : none;
    }

    /// `has_ended`: the task has.
    log_page page(const log_query& query, bool has_ended) const {
        const auto asked = detail::first_line(query);
        const auto first = last_ - lines().size() + 1;
        const auto from = asked < first || asked > last_ + 1 ? first : asked;
        log_page made;
        if (!query.cursor.empty()) made.missed = static_cast<std::size_t>(from - (std::min)(asked, from));
        auto next = from;
        for (; next <= last_ && made.lines.size() < query.limit; ++next) {
            made.lines.push_back(lines()[static_cast<std::size_t>(next - first)]);
        }
        made.cursor = std::to_string(next);
        made.has_ended = has_ended && next > last_;
        return made;
    }

private:
    /// About what it takes on a server.
    static std::size_t size_of(const log_line& line) {
        std::size_t size = 100 + line.text.size() + line.from->consumer.size();
        for (const auto& [name, value] : line.fields) size += name.size() + value.size() + 6;
        return size;
    }

    std::unique_ptr<line_list> lines_;  // an empty one has half a KiB
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace taskflux::memory
