#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/file_store.hpp>
#include <taskflux/http/media_type.hpp>
#include <taskflux/http/refusal.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::http {

/// What became of an upload.
class upload_end {
public:
    enum class kind {
        stored,   ///< under `name()`
        missing,  ///< the form has no such field
        refused   ///< `refused()` says why
    };

    upload_end() = default;
    upload_end(refusal why) : is_(kind::refused), refused_(std::move(why)) {}
    upload_end(std::string name, std::uint64_t size) : is_(kind::stored), name_(std::move(name)), size_(size) {}

    kind is() const { return is_; }
    const std::string& name() const { return name_; }
    std::uint64_t size() const { return size_; }
    const refusal& refused() const { return *refused_; }

private:
    kind is_ = kind::missing;
    std::string name_;
    std::uint64_t size_ = 0;
    std::optional<refusal> refused_;
};

/// Where an upload goes.
class upload_target {
public:
    /// `pool`: for calls that block; it runs until the upload has ended. `id`: stands in front of the name, as `upload_name` has
    /// it.
    upload_target(std::shared_ptr<const file_store> files, asio::any_io_executor pool, std::string id)
        : files_(std::move(files)), pool_(std::move(pool)), id_(std::move(id)) {}

    /// The field of the form that is stored, "file" by default; others are passed over.
    upload_target& field(std::string name) { return field_ = std::move(name), *this; }

    const std::shared_ptr<const file_store>& files() const { return files_; }
    const asio::any_io_executor& pool() const { return pool_; }
    const std::string& id() const { return id_; }
    const std::string& field() const { return field_; }

private:
    std::shared_ptr<const file_store> files_;
    asio::any_io_executor pool_;
    std::string id_, field_ = "file";
};

/// Reads a form, and stores the file in it, in constant memory (some 256 KiB). `type`: of the request. `read` gives the next piece
/// of the body, and an empty one at its end. Nobody sees the file before the form has ended as it should; what is not stored leaves
/// nothing. Errors: those of `read`, and of `file_store`: `too_large`, `unavailable`. Cancellation: as `read`.
asio::awaitable<upload_end> store_upload(std::optional<media_type> type, std::function<asio::awaitable<std::string>()> read,
                                         upload_target target);

}  // namespace taskflux::http
