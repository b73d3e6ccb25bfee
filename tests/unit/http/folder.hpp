#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/http/secrets/digest.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace test {

/// An empty folder that is removed with it.
class folder {
public:
    folder()
        : path_(std::filesystem::temp_directory_path() /
                ("taskflux_" + taskflux::http::secrets::to_base64url(taskflux::http::secrets::random_bytes(12)))) {
        std::filesystem::create_directory(path_);
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() { std::filesystem::remove_all(path_); }

    std::string path(std::string_view name = {}) const { return name.empty() ? path_.string() : (path_ / name).string(); }

    /// A file whose last change was at `when`; one that is there is overwritten in its place.
    void write(std::string_view name, std::string_view text, taskflux::time_point when) const {
        {
            std::ofstream out(path(name), std::ios::binary | std::ios::trunc);
            out << text;
        }
        const auto of_files = std::chrono::file_clock::from_sys(when);
        std::filesystem::last_write_time(path(name),
                                         std::chrono::time_point_cast<std::filesystem::file_time_type::duration>(of_files));
    }

    std::string read(std::string_view name) const {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    bool has(std::string_view name) const { return std::filesystem::exists(std::filesystem::symlink_status(path_ / name)); }
    long count() const { return std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()); }

private:
    std::filesystem::path path_;
};

}  // namespace test
