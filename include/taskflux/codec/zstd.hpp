#pragma once

#include <taskflux/codec/payload_codec.hpp>
#include <taskflux/core/error.hpp>

#include <zstd.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux {

/// How payloads are compressed.
class zstd_options {
public:
    zstd_options() {}

    /// From 1 (fast) to 19 (small); default 3.
    zstd_options& level(int value) {
        if (value < 1 || value > 19) {
            throw error(errc::invalid_argument, "not a level of zstd: " + std::to_string(value) + "; use 1 to 19");
        }
        return level_ = value, *this;
    }

    /// Texts of fewer bytes stay as they are; default 1 KiB.
    zstd_options& threshold(std::size_t bytes) { return threshold_ = bytes, *this; }

    /// Bytes that a text may have once it is unpacked; default 64 MiB. One that would be larger is refused before memory is taken
    /// for it.
    zstd_options& max_size(std::size_t bytes) { return max_size_ = bytes, *this; }

    int level() const { return level_; }
    std::size_t threshold() const { return threshold_; }
    std::size_t max_size() const { return max_size_; }

private:
    int level_ = 3;
    std::size_t threshold_ = 1024;
    std::size_t max_size_ = 64 << 20;
};

namespace detail {

class zstd_codec final : public payload_codec {
public:
    explicit zstd_codec(const zstd_options& options) : options_(options) {}

    std::string_view name() const override { return "zstd"; }

    std::optional<coded_bytes> encode(std::string_view bytes, std::string_view) const override {
        if (bytes.size() < options_.threshold() || bytes.size() > options_.max_size()) return std::nullopt;
        coded_bytes made;
        made.bytes.resize(ZSTD_compressBound(bytes.size()));
        const auto size = ZSTD_compress(made.bytes.data(), made.bytes.size(), bytes.data(), bytes.size(), options_.level());
        if (ZSTD_isError(size) != 0) throw error(errc::unavailable, std::string("zstd can't compress: ") + ZSTD_getErrorName(size));
        constexpr std::size_t form = 32;  // what the stored form takes beside base64
        if (size / 3 * 4 + form >= bytes.size()) return std::nullopt;
        made.bytes.resize(size);
        return made;
    }

    std::string decode(std::string_view bytes, std::string_view, std::string_view) const override {
        const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
        if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
            throw error(errc::bad_payload, "it is not a zstd frame that says its size: it was changed or cut");
        }
        if (size > options_.max_size()) {
            throw error(errc::too_large, "unpacked it would have " + std::to_string(size) + " bytes, and zstd_options::max_size allows " +
                                             std::to_string(options_.max_size()));
        }
        std::string text(static_cast<std::size_t>(size), '\0');
        const auto got = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
        if (ZSTD_isError(got) != 0 || got != text.size()) {
            throw error(errc::bad_payload, "it is not a whole zstd frame: it was changed or cut");
        }
        return text;
    }

private:
    const zstd_options options_;
};

}  // namespace detail

/// Compresses what is long enough and gets shorter by it. For `coded`; before `encrypted`, as what is encrypted does not get
/// shorter. Link libzstd (Debian: libzstd-dev).
inline payload_codec_ptr compressed(const zstd_options& options = zstd_options()) {
    return std::make_shared<detail::zstd_codec>(options);
}

}  // namespace taskflux
