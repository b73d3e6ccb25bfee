#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/log.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http::secrets {

/// The text of a file, read again when it has changed. Not thread-safe.
class watched_file {
public:
    explicit watched_file(std::string path) : path_(std::move(path)) {}

    const std::string& path() const { return path_; }

    /// The file's text, the first time and when it differs from the last one; `wall`: the time of the wall clock. Looks at its
    /// time, size and number, and at the text where it was changed so lately that another change may have the same time. Errors:
    /// `unavailable`, where it can't be read; `too_large` above 4 MiB.
    std::optional<std::string> changed(time_point wall);

private:
    struct looks {
        std::uint64_t size = 0, id = 0;
        std::int64_t modified = 0;  // in nanoseconds
        friend bool operator==(const looks&, const looks&) = default;
    };

    std::string path_;
    std::optional<looks> last_;
    bool is_settled_ = false;
    std::string digest_;  // of the last text
};

/// What a file says, as a table that is replaced when the file changes. A file that can't be read, or is not valid, leaves the old
/// table, and that is logged once. Thread-safe.
template <class Table>
class watched {
public:
    using reader = std::function<Table(std::string_view text)>;

    /// `what`: "users file". Errors: those of the file and of `read`, here alone.
    watched(std::string what, std::string path, reader read, duration look_every, log_sink log, time_point wall)
        : what_(std::move(what)), file_(std::move(path)), read_(std::move(read)), look_every_(look_every), log_(std::move(log)) {
        table_ = std::make_shared<const Table>(read_(*file_.changed(wall)));
        looked_ = wall;
    }

    /// The table as it is now; looks at the file, unless that was done less than `look_every` ago.
    std::shared_ptr<const Table> at(time_point wall) {
        const std::lock_guard lock(mutex_);
        if (wall >= looked_ && wall < looked_ + look_every_) return table_;
        looked_ = wall;
        try {
            const auto text = file_.changed(wall);
            if (!text) return table_;
            table_ = std::make_shared<const Table>(read_(*text));
            problem_.clear();
        } catch (const std::exception& e) {
            if (problem_ != e.what()) {
                problem_ = e.what();
                log_(log_level::error, "the " + what_ + " was not read again, and what it said before still holds: " + problem_);
            }
        }
        return table_;
    }

    const log_sink& log() const { return log_; }

private:
    const std::string what_;
    std::mutex mutex_;
    watched_file file_;
    const reader read_;
    const duration look_every_;
    const log_sink log_;
    std::shared_ptr<const Table> table_;
    time_point looked_{};
    std::string problem_;
};

/// Writes a file beside it, and puts that in its place: readers see the old one or the new one. The owner alone may read it, and
/// its group as the process's mask has it. Errors: `unavailable`.
void replace_file(const std::string& path, std::string_view text);

/// The text of a file; empty where there is none. Errors as of `watched_file::changed`.
std::string text_of_file(const std::string& path);

}  // namespace taskflux::http::secrets
