#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux {

/// What a codec has made of some bytes.
class coded_bytes {
public:
    coded_bytes() {}

    std::string bytes;
    std::string argument;  ///< what `decode` needs to know, the id of a key for instance: up to 64 of A-Z a-z 0-9 - _ . /
};

/// Changes the bytes of payloads and results on their way into a broker, and back: see `coded`. Thread-safe.
class payload_codec {
public:
    payload_codec() {}
    payload_codec(const payload_codec&) = delete;
    payload_codec& operator=(const payload_codec&) = delete;
    virtual ~payload_codec() = default;

    /// Stored with what it has made: 1 to 32 of A-Z a-z 0-9 - _ . /
    virtual std::string_view name() const = 0;

    /// Nothing where the bytes stay as they are. `bound`: what the bytes are and where they belong, which a codec that
    /// authenticates binds to them.
    virtual std::optional<coded_bytes> encode(std::string_view bytes, std::string_view bound) const = 0;

    /// The bytes that `encode` was given. Throws `error`, whose text follows "… can't be read: ", for anything else.
    virtual std::string decode(std::string_view bytes, std::string_view argument, std::string_view bound) const = 0;

    /// Whether its name promises that nobody else can read or make what it has made: then it is applied to everything, what has
    /// not gone through it is refused, and no fingerprints of plain texts are stored. `encode` must then return bytes for every text.
    virtual bool is_secret() const { return false; }
};

using payload_codec_ptr = std::shared_ptr<const payload_codec>;

}  // namespace taskflux
