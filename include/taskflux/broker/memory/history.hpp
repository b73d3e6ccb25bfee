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

namespace taskflux::memory {

/// Attempts at one task that did not end it: the newest.
class past_attempts {
public:
    void add(past_attempt one) {
        if (!all_.empty() && all_.back().token >= one.token) return;
        one.error_size = one.error.size();
        if (one.error.size() > detail::most_kept::attempt_error) one.error.clear();
        if (all_.size() == detail::most_kept::attempts) all_.pop_front(), ++left_out_;
        all_.push_back(std::move(one));
    }

    attempt_list list() const {
        attempt_list made;
        made.attempts.assign(all_.begin(), all_.end());
        made.left_out = left_out_;
        return made;
    }

private:
    std::deque<past_attempt> all_;
    std::size_t left_out_ = 0;
};

/// The newest lines of one task's log, numbered.
class task_log {
public:
    void add(log_line line, unsigned attempt, const std::string& consumer) {
        line.from.emplace();
        line.from->number = ++last_;
        line.from->attempt = attempt;
        line.from->consumer = consumer;
        bytes_ += size_of(line);
    using line_list = std::deque<log_line>;

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
        for (; next <= last_ && made.lines.size() < query.limit; ++next) made.lines.push_back(lines()[next - first]);
        made.cursor = std::to_string(next);
        return made;
    }

private:
    /// About what it takes on a server.
    static std::size_t size_of(const log_line& line) {
        made.has_ended = has_ended && next > last_;
        std::size_t size = 100 + line.text.size() + line.from->consumer.size();
        for (const auto& [name, value] : line.fields) size += name.size() + value.size() + 6;
        return size;
    }

    std::unique_ptr<line_list> lines_;  // an empty one has half a KiB
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace taskflux::memory
