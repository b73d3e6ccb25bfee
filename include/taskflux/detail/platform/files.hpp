#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace taskflux::detail {

// Files by their folder and name, so that nothing between two calls can lead elsewhere: but for the two that take a path, no
// function follows a symbolic link. Names have no slashes. Where a system has none of this, all fail with `not_supported`.

/// An open file or folder, which is closed with it.
class open_file {
public:
    open_file() = default;
    explicit open_file(int number) : number_(number) {}
    open_file(open_file&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    open_file& operator=(open_file&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~open_file() { close(); }

    bool is_open() const { return number_ >= 0; }
    int number() const { return number_; }
    void close() noexcept;

private:
    int number_ = -1;
};

enum class file_kind { file, folder, other };

struct file_facts {
    file_kind kind = file_kind::other;
    std::uint64_t size = 0;
    std::uint64_t id = 0;  ///< of the file, on its device
    std::chrono::sys_time<std::chrono::nanoseconds> modified{};
};

/// A folder by its path, whose links are followed.
open_file open_folder(const std::string& path, std::error_code& ec);
/// A file by its path, whose links are followed.
open_file open_path(const std::string& path, std::error_code& ec);

open_file open_folder_in(const open_file& folder, const std::string& name, std::error_code& ec);
/// Of any kind, without waiting for who writes into a pipe: look at `facts_of`.
open_file open_file_in(const open_file& folder, const std::string& name, std::error_code& ec);
/// A new file that its owner alone may read, or the group as well: as the process's mask has it, never others.
open_file create_file_in(const open_file& folder, const std::string& name, std::error_code& ec);

file_facts facts_of(const open_file& file, std::error_code& ec);
/// Of a link: those of the link.
file_facts facts_in(const open_file& folder, const std::string& name, std::error_code& ec);

/// Fewer than `size` only at the end of the file.
std::size_t read_at(const open_file& file, std::uint64_t offset, char* into, std::size_t size, std::error_code& ec);
void write_all(const open_file& file, std::string_view bytes, std::error_code& ec);
/// What was written is on the disk when this has come back.
void flush(const open_file& file, std::error_code& ec);

/// Replaces a file that is there.
void rename_in(const open_file& folder, const std::string& from, const std::string& to, std::error_code& ec);
void remove_in(const open_file& folder, const std::string& name, std::error_code& ec);

/// Each name in a folder, but for "." and "..".
void for_each_name(const open_file& folder, const std::function<void(const std::string&)>& visit, std::error_code& ec);

}  // namespace taskflux::detail
