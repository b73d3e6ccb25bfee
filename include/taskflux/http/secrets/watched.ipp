#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/detail/platform/files.hpp>
#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/secrets/watched.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace taskflux::http::secrets {

namespace files {

[[noreturn]] inline void fail(const std::string& path, const std::string& why) {
    throw error(errc::unavailable, "the file " + taskflux::detail::in_quotes(path, 256) + " " + why);
}

inline void check(const std::error_code& ec, const std::string& path, const char* what) {
    if (ec) fail(path, std::string("can't be ") + what + ": " + ec.message());
}

inline std::string read_all(const taskflux::detail::open_file& file, const std::string& path) {
    constexpr std::size_t most = 4U << 20;
    std::error_code ec;
    const auto facts = taskflux::detail::facts_of(file, ec);
    check(ec, path, "read");
    if (facts.kind != taskflux::detail::file_kind::file) fail(path, "is no regular file");
    std::string text(most + 1, '\0');
    text.resize(taskflux::detail::read_at(file, 0, text.data(), text.size(), ec));
    check(ec, path, "read");
    if (text.size() > most)
        throw error(errc::too_large, "the file " + taskflux::detail::in_quotes(path, 256) + " has more than 4 MiB");
    return text;
}

}  // namespace files

std::optional<std::string> watched_file::changed(time_point wall) {
    constexpr auto settles_after = std::chrono::seconds(2);  // some file systems count whole seconds
    std::error_code ec;
    const auto file = taskflux::detail::open_path(path_, ec);
    files::check(ec, path_, "opened");
    const auto facts = taskflux::detail::facts_of(file, ec);
    files::check(ec, path_, "read");
    const looks now{facts.size, facts.id, facts.modified.time_since_epoch().count()};
    if (last_ == now && is_settled_) return std::nullopt;
    auto text = files::read_all(file, path_);
    last_ = now;
    is_settled_ = facts.modified + settles_after < wall;
    auto digest = sha256(text);
    if (digest == digest_) return std::nullopt;
    digest_ = std::move(digest);
    return text;
}

std::string text_of_file(const std::string& path) {
    std::error_code ec;
    const auto file = taskflux::detail::open_path(path, ec);
    if (ec == std::errc::no_such_file_or_directory) return {};
    files::check(ec, path, "opened");
    return files::read_all(file, path);
}

void replace_file(const std::string& path, std::string_view text) {
    constexpr std::size_t random_size = 9;
    const std::filesystem::path whole(path);
    const auto parent = whole.parent_path().string(), name = whole.filename().string();
    std::error_code ec;
    const auto folder = taskflux::detail::open_folder(parent.empty() ? "." : parent, ec);
    files::check(ec, path, "written");
    const auto temporary = '.' + name + '.' + to_base64url(random_bytes(random_size));
    auto file = taskflux::detail::create_file_in(folder, temporary, ec);
    files::check(ec, path, "written");
    taskflux::detail::write_all(file, text, ec);
    if (!ec) taskflux::detail::flush(file, ec);
    if (!ec) taskflux::detail::rename_in(folder, temporary, name, ec);
    if (!ec) return;
    std::error_code ignored;
    taskflux::detail::remove_in(folder, temporary, ignored);
    files::check(ec, path, "written");
}

}  // namespace taskflux::http::secrets
