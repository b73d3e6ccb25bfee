#pragma once

#include <taskflux/detail/platform/files.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

namespace taskflux::detail {

namespace platform_files {

inline void set(std::error_code& ec, bool is_good) {
    if (is_good) {
        ec.clear();
    } else {
        ec.assign(errno, std::generic_category());
    }
}

/// A call that a signal interrupts is made again.
template <class Call>
auto again(Call call) {
    auto result = call();
    while (result == -1 && errno == EINTR) result = call();
    return result;
}

inline open_file open_in(int folder, const std::string& name, int flags, std::error_code& ec, mode_t mode = 0) {
    const int number = again([&] { return ::openat(folder, name.c_str(), flags | O_CLOEXEC, mode); });
    set(ec, number >= 0);
    return open_file(number);
}

inline file_facts facts(const struct stat& read) {
    file_facts made;
    made.kind = S_ISREG(read.st_mode) ? file_kind::file : S_ISDIR(read.st_mode) ? file_kind::folder : file_kind::other;
    made.size = static_cast<std::uint64_t>(read.st_size);
    made.id = static_cast<std::uint64_t>(read.st_ino);
#if defined(__APPLE__)
    const auto& time = read.st_mtimespec;
#else
    const auto& time = read.st_mtim;
#endif
    made.modified += std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    return made;
}

}  // namespace platform_files

void open_file::close() noexcept {
    if (is_open()) ::close(std::exchange(number_, -1));
}

open_file open_folder(const std::string& path, std::error_code& ec) {
    return platform_files::open_in(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, ec);
}

open_file open_path(const std::string& path, std::error_code& ec) {
    return platform_files::open_in(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, ec);
}

open_file open_folder_in(const open_file& folder, const std::string& name, std::error_code& ec) {
    return platform_files::open_in(folder.number(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, ec);
}

open_file open_file_in(const open_file& folder, const std::string& name, std::error_code& ec) {
    return platform_files::open_in(folder.number(), name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, ec);
}

open_file create_file_in(const open_file& folder, const std::string& name, std::error_code& ec) {
    return platform_files::open_in(folder.number(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, ec,
                                   S_IRUSR | S_IWUSR | S_IRGRP);
}

file_facts facts_of(const open_file& file, std::error_code& ec) {
    struct stat read {};
    platform_files::set(ec, ::fstat(file.number(), &read) == 0);
    return ec ? file_facts() : platform_files::facts(read);
}

file_facts facts_in(const open_file& folder, const std::string& name, std::error_code& ec) {
    struct stat read {};
    platform_files::set(ec, ::fstatat(folder.number(), name.c_str(), &read, AT_SYMLINK_NOFOLLOW) == 0);
    return ec ? file_facts() : platform_files::facts(read);
}

std::size_t read_at(const open_file& file, std::uint64_t offset, char* into, std::size_t size, std::error_code& ec) {
    std::size_t done = 0;
    ec.clear();
    while (done < size) {
        const auto count = platform_files::again(
            [&] { return ::pread(file.number(), into + done, size - done, static_cast<off_t>(offset + done)); });
        platform_files::set(ec, count >= 0);
        if (count <= 0) break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

void write_all(const open_file& file, std::string_view bytes, std::error_code& ec) {
    ec.clear();
    while (!bytes.empty()) {
        const auto count = platform_files::again([&] { return ::write(file.number(), bytes.data(), bytes.size()); });
        platform_files::set(ec, count >= 0);
        if (ec) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void flush(const open_file& file, std::error_code& ec) {
    platform_files::set(ec, platform_files::again([&] { return ::fsync(file.number()); }) == 0);
}

void rename_in(const open_file& folder, const std::string& from, const std::string& to, std::error_code& ec) {
    platform_files::set(ec, ::renameat(folder.number(), from.c_str(), folder.number(), to.c_str()) == 0);
}

void remove_in(const open_file& folder, const std::string& name, std::error_code& ec) {
    platform_files::set(ec, ::unlinkat(folder.number(), name.c_str(), 0) == 0);
}

void for_each_name(const open_file& folder, const std::function<void(const std::string&)>& visit, std::error_code& ec) {
    // A folder opened once more, since reading it moves its place.
    const int number = platform_files::again([&] { return ::openat(folder.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    platform_files::set(ec, number >= 0);
    if (ec) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> all(::fdopendir(number), [](DIR* read) { return ::closedir(read); });
    platform_files::set(ec, all != nullptr);
    if (ec) {
        ::close(number);
        return;
    }
    for (;;) {
        errno = 0;
        const auto* const one = ::readdir(all.get());
        if (!one) return platform_files::set(ec, errno == 0);
        const std::string name = one->d_name;
        if (name != "." && name != "..") visit(name);
    }
}

}  // namespace taskflux::detail

#else

namespace taskflux::detail {

namespace platform_files {

inline void refuse(std::error_code& ec) {
    ec = std::make_error_code(std::errc::not_supported);
}

}  // namespace platform_files

void open_file::close() noexcept {}
open_file open_folder(const std::string&, std::error_code& ec) {
    return platform_files::refuse(ec), open_file();
}
open_file open_path(const std::string&, std::error_code& ec) {
    return platform_files::refuse(ec), open_file();
}
open_file open_folder_in(const open_file&, const std::string&, std::error_code& ec) {
    return platform_files::refuse(ec), open_file();
}
open_file open_file_in(const open_file&, const std::string&, std::error_code& ec) {
    return platform_files::refuse(ec), open_file();
}
open_file create_file_in(const open_file&, const std::string&, std::error_code& ec) {
    return platform_files::refuse(ec), open_file();
}
file_facts facts_of(const open_file&, std::error_code& ec) {
    return platform_files::refuse(ec), file_facts();
}
file_facts facts_in(const open_file&, const std::string&, std::error_code& ec) {
    return platform_files::refuse(ec), file_facts();
}
std::size_t read_at(const open_file&, std::uint64_t, char*, std::size_t, std::error_code& ec) {
    return platform_files::refuse(ec), 0;
}
void write_all(const open_file&, std::string_view, std::error_code& ec) {
    platform_files::refuse(ec);
}
void flush(const open_file&, std::error_code& ec) {
    platform_files::refuse(ec);
}
void rename_in(const open_file&, const std::string&, const std::string&, std::error_code& ec) {
    platform_files::refuse(ec);
}
void remove_in(const open_file&, const std::string&, std::error_code& ec) {
    platform_files::refuse(ec);
}
void for_each_name(const open_file&, const std::function<void(const std::string&)>&, std::error_code& ec) {
    platform_files::refuse(ec);
}

}  // namespace taskflux::detail

#endif
