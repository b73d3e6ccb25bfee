#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/detail/platform/files.hpp>
#include <taskflux/http/file_store.hpp>
#include <taskflux/http/safe_name.hpp>
#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/syntax/syntax.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace taskflux::http {

namespace stored {

inline constexpr std::string_view temporary_prefix = ".taskflux-upload-";

[[noreturn]] inline void fail(const std::string& what, const std::error_code& ec) {
    const auto code = ec == std::errc::not_supported ? errc::unsupported : errc::unavailable;
    throw error(code, "the store of files can't " + what + ": " + ec.message());
}

inline void check(const std::error_code& ec, const char* what) {
    if (ec) fail(what, ec);
}

/// What says that there is no such file, and not that the disk does not work.
inline bool is_missing(const std::error_code& ec) {
    for (const auto known : {std::errc::no_such_file_or_directory, std::errc::not_a_directory,
                             std::errc::too_many_symbolic_link_levels, std::errc::filename_too_long, std::errc::permission_denied,
                             std::errc::is_a_directory, std::errc::no_such_device_or_address}) {
        if (ec == known) return true;
    }
    return false;
}

/// The folder of a file, and its name there.
struct place {
    std::shared_ptr<const taskflux::detail::open_file> folder;
    std::string name;
};

/// Nothing: there is no such folder, or the name is none.
inline std::optional<place> find(std::shared_ptr<const taskflux::detail::open_file> folder, std::string_view name) {
    if (refused_file_name(name)) return std::nullopt;
    for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
        std::error_code ec;
        folder = std::make_shared<const taskflux::detail::open_file>(
            taskflux::detail::open_folder_in(*folder, std::string(name.substr(0, slash)), ec));
        if (ec && is_missing(ec)) return std::nullopt;
        check(ec, "open a folder");
        name.remove_prefix(slash + 1);
    }
    if (name.starts_with(temporary_prefix)) return std::nullopt;
    return place{std::move(folder), std::string(name)};
}

}  // namespace stored

file_store_options& file_store_options::remove_after(duration age) {
    if (age <= duration::zero())
        throw error(errc::invalid_argument, "files can't be removed after no time; use a time above 0, or none to keep them");
    remove_after_ = age;
    return *this;
}

file_upload& file_upload::operator=(file_upload&& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(file_, other.file_);
    std::swap(temporary_, other.temporary_);
    std::swap(name_, other.name_);
    std::swap(most_, other.most_);
    std::swap(size_, other.size_);
    return *this;
}

file_upload::~file_upload() {
    if (!file_.is_open()) return;
    std::error_code ignored;
    taskflux::detail::remove_in(*folder_, temporary_, ignored);
}

void file_upload::write(std::string_view bytes) {
    if (bytes.size() > most_ - size_) {
        throw error(errc::too_large,
                    "the file has more than " + std::to_string(most_) + " bytes, which is the most that is stored here");
    }
    std::error_code ec;
    taskflux::detail::write_all(file_, bytes, ec);
    stored::check(ec, "write a file");
    size_ += bytes.size();
}

void file_upload::commit() {
    std::error_code ec;
    // The bytes first: after a power failure there must be no file of this name without them.
    taskflux::detail::flush(file_, ec);
    stored::check(ec, "write a file");
    taskflux::detail::rename_in(*folder_, temporary_, name_, ec);
    stored::check(ec, "name a file");
    file_.close();
    taskflux::detail::flush(*folder_, ec);
    stored::check(ec, "name a file");
}

entity_tag stored_file::tag() const {
    std::array<char, 40> text;
    auto* end = std::to_chars(text.data(), text.data() + text.size(),
                              static_cast<std::uint64_t>(facts_.modified.time_since_epoch().count()), 16)
                    .ptr;
    *end++ = '-';
    end = std::to_chars(end, text.data() + text.size(), facts_.size, 16).ptr;
    return entity_tag(std::string(text.data(), end));
}

std::size_t stored_file::read(std::uint64_t offset, std::span<char> into) const {
    std::error_code ec;
    const auto count = taskflux::detail::read_at(file_, offset, into.data(), into.size(), ec);
    stored::check(ec, "read a file");
    return count;
}

file_store::file_store(const std::string& folder, file_store_options options) : options_(options) {
    std::error_code ec;
    folder_ = std::make_shared<const taskflux::detail::open_file>(taskflux::detail::open_folder(folder, ec));
    if (ec) stored::fail("open its folder " + taskflux::detail::in_quotes(folder, 256), ec);
}

file_upload file_store::create(std::string_view name) const {
    constexpr std::size_t random_size = 12;
    const bool is_hidden = name.starts_with(stored::temporary_prefix);
    if (is_hidden || name.find('/') != std::string_view::npos || refused_file_name(name)) {
        throw error(errc::invalid_argument, "not a name for a file that is stored: " + taskflux::detail::in_quotes(name));
    }
    auto temporary = std::string(stored::temporary_prefix) + secrets::to_base64url(secrets::random_bytes(random_size));
    std::error_code ec;
    auto file = taskflux::detail::create_file_in(*folder_, temporary, ec);
    stored::check(ec, "create a file");
    return {folder_, std::move(file), std::move(temporary), std::string(name), options_.max_size()};
}

std::optional<stored_file> file_store::open(std::string_view name) const {
    const auto place = stored::find(folder_, name);
    if (!place) return std::nullopt;
    std::error_code ec;
    auto file = taskflux::detail::open_file_in(*place->folder, place->name, ec);
    if (ec && stored::is_missing(ec)) return std::nullopt;
    stored::check(ec, "open a file");
    const auto facts = taskflux::detail::facts_of(file, ec);
    stored::check(ec, "open a file");
    if (facts.kind != taskflux::detail::file_kind::file) return std::nullopt;
    return stored_file(std::move(file), facts);
}

bool file_store::remove(std::string_view name) const {
    const auto place = stored::find(folder_, name);
    if (!place) return false;
    std::error_code ec;
    const auto facts = taskflux::detail::facts_in(*place->folder, place->name, ec);
    if (ec && stored::is_missing(ec)) return false;
    stored::check(ec, "look at a file");
    if (facts.kind != taskflux::detail::file_kind::file) return false;
    taskflux::detail::remove_in(*place->folder, place->name, ec);
    if (ec == std::errc::no_such_file_or_directory) return false;
    stored::check(ec, "remove a file");
    return true;
}

std::optional<std::size_t> file_store::clean_up(time_point wall) {
    {
        const std::lock_guard lock(mutex_);
        if (looked_ && wall >= *looked_ && wall < *looked_ + options_.look_every()) return std::nullopt;
        looked_ = wall;
    }
    constexpr int deepest = 8;
    return clean_folder(*folder_, wall, deepest);
}

std::size_t file_store::clean_folder(const taskflux::detail::open_file& folder, time_point wall, int depth) const {
    constexpr auto abandoned_after = std::chrono::hours(1);
    std::size_t removed = 0;
    const bool is_top = &folder == folder_.get();
    std::error_code ec;
    taskflux::detail::for_each_name(
        folder,
        [&](const std::string& name) {
            std::error_code one;
            const auto facts = taskflux::detail::facts_in(folder, name, one);
            if (one) return;  // another gateway may have been first
            if (facts.kind == taskflux::detail::file_kind::folder) {
                if (depth == 0 || (is_top && syntax::same_word(name, "fasttask"))) return;
                const auto below = taskflux::detail::open_folder_in(folder, name, one);
                if (!one) removed += clean_folder(below, wall, depth - 1);
                return;
            }
            const auto age =
                name.starts_with(stored::temporary_prefix) ? std::optional<duration>(abandoned_after) : options_.remove_after();
            if (facts.kind != taskflux::detail::file_kind::file || !age || facts.modified + *age > wall) return;
            taskflux::detail::remove_in(folder, name, one);
            if (!one) ++removed;
        },
        ec);
    stored::check(ec, "list its files");
    return removed;
}

}  // namespace taskflux::http
