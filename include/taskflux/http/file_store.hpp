#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/detail/platform/files.hpp>
#include <taskflux/http/conditional.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

/// How files are kept.
class file_store_options {
public:
    file_store_options() = default;

    /// The largest file in bytes, 1 GiB by default.
    file_store_options& max_size(std::uint64_t bytes) { return max_size_ = bytes, *this; }
    /// Files that were not changed for this time are removed; by default none is. Not those in the folder `fasttask`. Errors:
    /// `invalid_argument`, unless it is greater than 0.
    file_store_options& remove_after(duration age);
    /// How often is looked for those, each ten minutes by default.
    file_store_options& look_every(duration span) { return look_every_ = span, *this; }

    std::uint64_t max_size() const { return max_size_; }
    const std::optional<duration>& remove_after() const { return remove_after_; }
    duration look_every() const { return look_every_; }

private:
    std::uint64_t max_size_ = std::uint64_t(1) << 30;
    std::optional<duration> remove_after_;
    duration look_every_ = std::chrono::minutes(10);
};

/// A file that is being written, under a name that nobody can ask for. What is destroyed without `commit` is removed; what a crash
/// leaves, `clean_up` removes. Its calls block. Not thread-safe, but any thread may make the next call.
class file_upload {
public:
    file_upload(file_upload&&) noexcept = default;
    file_upload& operator=(file_upload&& other) noexcept;
    ~file_upload();

    /// Errors: `too_large`, above the largest size; `unavailable`, where the disk does not take it. Then the upload is useless.
    void write(std::string_view bytes);

    /// The file is on the disk, and has its name. Errors: `unavailable`.
    void commit();

    std::uint64_t size() const { return size_; }
    const std::string& name() const { return name_; }  ///< as which it is stored

private:
    friend class file_store;
    file_upload(std::shared_ptr<const detail::open_file> folder, detail::open_file file, std::string temporary, std::string name,
                std::uint64_t most)
        : folder_(std::move(folder)),
          file_(std::move(file)),
          temporary_(std::move(temporary)),
          name_(std::move(name)),
          most_(most) {}

    std::shared_ptr<const detail::open_file> folder_;
    detail::open_file file_;  // closed: committed
    std::string temporary_, name_;
    std::uint64_t most_, size_ = 0;
};

/// A file that is open for reading: it stays as it is, also when it is removed or replaced meanwhile. Its calls block.
class stored_file {
public:
    std::uint64_t size() const { return facts_.size; }
    std::chrono::sys_seconds modified() const { return std::chrono::floor<std::chrono::seconds>(facts_.modified); }

    /// Of its size and the time of its last change: files are replaced as a whole, so the tag is a strong one, and it is the same
    /// for copies that keep their times.
    entity_tag tag() const;
    validators current() const { return {tag(), modified()}; }

    /// Fewer bytes than `into` has only at the end. Errors: `unavailable`.
    std::size_t read(std::uint64_t offset, std::span<char> into) const;

private:
    friend class file_store;
    stored_file(detail::open_file file, const detail::file_facts& facts) : file_(std::move(file)), facts_(facts) {}

    detail::open_file file_;
    detail::file_facts facts_;
};

/// Files in a folder, which several gateways may share. No name leads out of it, also not over symbolic links: they are not
/// followed. Memory is that of what is written or read at once. Names are such as `refused_file_name` has nothing against: others
/// are not found, and can't be created. All calls block: post them to a pool (`on_pool`). Thread-safe.
class file_store {
public:
    /// The folder must be there. Errors: `unavailable`, where it can't be opened; `unsupported`, where the system has no such
    /// calls.
    explicit file_store(const std::string& folder, file_store_options options = file_store_options());

    /// Begins a file of this name, without slashes. Errors: `invalid_argument` for a name that is refused; `unavailable`.
    file_upload create(std::string_view name) const;

    /// Nothing: there is no regular file of this name, or it may not be read. Errors: `unavailable`.
    std::optional<stored_file> open(std::string_view name) const;

    /// False: there is none. Errors: `unavailable`.
    bool remove(std::string_view name) const;

    /// Removes what is too old, and what interrupted uploads have left for an hour; `wall`: the wall clock's time. Returns how many
    /// files that were; nothing: it was looked less than `look_every` ago. Call it at the start and with each tick of a timer.
    std::optional<std::size_t> clean_up(time_point wall);

private:
    std::size_t clean_folder(const detail::open_file& folder, time_point wall, int depth) const;

    const file_store_options options_;
    std::shared_ptr<const detail::open_file> folder_;
    std::mutex mutex_;
    std::optional<time_point> looked_;
};

}  // namespace taskflux::http
