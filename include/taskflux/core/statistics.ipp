#pragma once

#include <taskflux/core/statistics.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace taskflux {

std::size_t time_histogram::bucket_of(duration of) {
    return static_cast<std::size_t>(std::ranges::lower_bound(bounds_ms, of.count()) - bounds_ms.begin());
}

void time_histogram::add(duration of) {
    of = (std::max)(of, duration::zero());
    counts.resize(bucket_count);
    ++counts[bucket_of(of)];
    sum_ms += static_cast<std::uint64_t>(of.count());
}

std::uint64_t time_histogram::count() const { return std::accumulate(counts.begin(), counts.end(), std::uint64_t(0)); }

duration time_histogram::percentile(double share) const {
    const auto all = count();
    if (all == 0) return duration::zero();
    share = std::isnan(share) ? 0 : std::clamp(share, 0.0, 1.0);
    constexpr double rounding = 1e-9;  // 0.55 * 100 is a little more than 55
    const auto rank = (std::max)(1.0, std::ceil(share * static_cast<double>(all) - rounding));
    double below = 0;
    for (std::size_t i = 0; i < (std::min)(counts.size(), bounds_ms.size()); ++i) {
        const auto here = static_cast<double>(counts[i]);
        if (below + here >= rank) {
            const auto from = i == 0 ? 0.0 : static_cast<double>(bounds_ms[i - 1]);
            const auto width = static_cast<double>(bounds_ms[i]) - from;
            return duration(std::llround(from + width * (rank - below) / here));
        }
        below += here;
    }
    return duration(bounds_ms.back());
}

namespace detail {

counted_values& counted_values::operator+=(const counted_values& other) {
    for (std::size_t i = 0; i < size; ++i) values_[i] += other.values_[i];
    return *this;
}

void counted_values::add_time(counted histogram, duration of) {
    of = (std::max)(of, duration::zero());
    ++values_[static_cast<std::size_t>(histogram) + time_histogram::bucket_of(of)];
    (*this)[histogram == counted::wait ? counted::wait_sum : counted::run_sum] += of.count();
}

task_statistics statistics_of(const counted_values& from) {
    const auto of = [&](counted what) { return static_cast<std::uint64_t>((std::max)(from[what], std::int64_t(0))); };
    task_statistics made;
    made.submitted = of(counted::submitted);
    made.ended.succeeded = of(counted::succeeded);
    made.ended.failed = of(counted::failed);
    made.ended.cancelled = of(counted::cancelled);
    made.ended.expired = of(counted::expired);
    made.attempts.succeeded = of(counted::attempt_succeeded);
    made.attempts.retried = of(counted::attempt_retried);
    made.attempts.failed = of(counted::attempt_failed);
    made.attempts.timed_out = of(counted::attempt_timed_out);
    made.attempts.cancelled = of(counted::attempt_cancelled);
    made.attempts.lost = of(counted::attempt_lost);
    for (std::size_t i = 0; i < time_histogram::bucket_count; ++i) {
        made.wait.counts[i] = of(static_cast<counted>(static_cast<std::size_t>(counted::wait) + i));
        made.run.counts[i] = of(static_cast<counted>(static_cast<std::size_t>(counted::run) + i));
    }
    made.wait.sum_ms = of(counted::wait_sum);
    made.run.sum_ms = of(counted::run_sum);
    return made;
}

std::string text_of(const counted_values& from) {
    std::string made;
    for (std::size_t i = 0; i < counted_values::size; ++i) {
        const auto value = from.all()[i];
        if (value == 0) continue;
        if (!made.empty()) made += ',';
        made += std::to_string(i) + ':' + std::to_string(value);
    }
    return made;
}

void add_text(counted_values& to, const std::string& text) {
    const auto* at = text.data();
    const auto* const end = at + text.size();
    while (at < end) {
        const auto* const entry_end = std::find(at, end, ',');
        std::size_t place = 0;
        std::int64_t value = 0;
        const auto read = std::from_chars(at, entry_end, place);
        if (read.ec == std::errc() && read.ptr != entry_end && *read.ptr == ':' && place < counted_values::size) {
            const auto number = std::from_chars(read.ptr + 1, entry_end, value);
            constexpr std::int64_t most = 1'000'000'000'000'000;  // so that no sum of some overflows
            if (number.ec == std::errc() && number.ptr == entry_end && value >= -most && value <= most) to.all()[place] += value;
        }
        at = entry_end == end ? end : entry_end + 1;
    }
}

}  // namespace detail

}  // namespace taskflux
