#pragma once

#include <taskflux/codec/payload_codec.hpp>
#include <taskflux/core/codec/coded.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// A key of 256 bits, overwritten when it is destroyed. No error and no log shows it.
class encryption_key {
public:
    static constexpr std::size_t size = 32;

    /// Of 32 bytes. Errors: `invalid_argument` for another number.
    explicit encryption_key(std::string_view bytes) {
        if (bytes.size() != size) {
            throw error(errc::invalid_argument, "an encryption key has " + std::to_string(bytes.size()) + " bytes; use 32 random ones");
        }
        std::ranges::copy(bytes, bytes_.begin());
    }
    encryption_key(const encryption_key&) = default;
    encryption_key& operator=(const encryption_key&) = default;
    ~encryption_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

    /// Of base64, as `openssl rand -base64 32` prints it; white space at its end is left out. Errors: `invalid_argument`.
    static encryption_key from_base64(std::string_view text) {
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
        auto bytes = detail::from_base64(text);
        if (!bytes) throw error(errc::invalid_argument, "an encryption key is not base64; openssl rand -base64 32 makes one");
        const encryption_key made(*bytes);
        OPENSSL_cleanse(bytes->data(), bytes->size());
        return made;
    }

    static encryption_key random() {
        std::array<char, size> bytes;
        if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), int(size)) != 1) {
            throw error(errc::unavailable, "OpenSSL has no random numbers for a key");
        }
        const encryption_key made(std::string_view(bytes.data(), bytes.size()));
        OPENSSL_cleanse(bytes.data(), bytes.size());
        return made;
    }

    /// For the library.
    const unsigned char* data() const { return reinterpret_cast<const unsigned char*>(bytes_.data()); }

private:
    std::array<char, size> bytes_;
};

/// Keys by their ids. The first one encrypts; all decrypt.
class key_ring {
public:
    /// `id` is stored with what the key encrypts: 1 to 64 of A-Z a-z 0-9 - _ . / Errors: `invalid_argument`.
    key_ring(std::string id, const encryption_key& current) : current_(std::move(id)) { add(current_, current); }

    /// A key that only decrypts: one from before, or the next one, which some programs encrypt with already. Errors:
    /// `invalid_argument`, also for an id that is in the ring.
    key_ring& also(std::string id, const encryption_key& key) { return add(std::move(id), key), *this; }

    const std::string& current() const { return current_; }

    /// Null: there is none of this id.
    const encryption_key* find(std::string_view id) const {
        const auto found = keys_.find(id);
        return found == keys_.end() ? nullptr : &found->second;
    }

private:
    void add(std::string id, const encryption_key& key) {
        const bool is_id = !id.empty() && id.size() <= 64 && id.find(':') == std::string::npos &&
                           std::ranges::all_of(id, detail::coded_form::is_name_character);
        if (!is_id) {
            throw error(errc::invalid_argument, "not the id of an encryption key: it has other characters or another length; use 1 to "
                                                "64 of A-Z a-z 0-9 - _ . /");
        }
        const auto text = detail::in_quotes(id);
        if (keys_.emplace(std::move(id), key).second) return;
        throw error(errc::invalid_argument, "two encryption keys have the id " + text + ": give each one of its own");
    }

    std::string current_;
    std::map<std::string, encryption_key, std::less<>> keys_;
};

namespace detail {

/// AES-256-GCM: a random nonce of 96 bits, the encrypted bytes, a tag of 128 bits.
class aes_gcm_codec final : public payload_codec {
public:
    explicit aes_gcm_codec(key_ring keys) : keys_(std::move(keys)) {}

    std::string_view name() const override { return "aes-256-gcm"; }
    bool is_secret() const override { return true; }

    std::optional<coded_bytes> encode(std::string_view bytes, std::string_view bound) const override {
        coded_bytes made;
        made.argument = keys_.current();
        made.bytes.resize(nonce_size + bytes.size() + tag_size);
        auto* const out = writable(made.bytes);
        check(RAND_bytes(out, int(nonce_size)));
        const auto cipher = new_cipher();
        int size = 0;
        check(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, keys_.find(keys_.current())->data(), out));
        check(EVP_EncryptUpdate(cipher.get(), nullptr, &size, readable(bound), length(bound)));
        check(EVP_EncryptUpdate(cipher.get(), out + nonce_size, &size, readable(bytes), length(bytes)));
        check(EVP_EncryptFinal_ex(cipher.get(), out + nonce_size + bytes.size(), &size));
        check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, int(tag_size), out + nonce_size + bytes.size()));
        return made;
    }

    std::string decode(std::string_view bytes, std::string_view argument, std::string_view bound) const override {
        const auto* const key = keys_.find(argument);
        if (!key) {
            throw error(errc::bad_payload, "it is encrypted with key " + in_quotes(argument) +
                                               ", which this program does not have: add it to its key_ring");
        }
        if (bytes.size() < nonce_size + tag_size) throw changed(argument);
        const auto nonce = bytes.substr(0, nonce_size);
        const auto body = bytes.substr(nonce_size, bytes.size() - nonce_size - tag_size);
        std::string tag(bytes.substr(bytes.size() - tag_size));
        std::string text(body.size(), '\0');
        const auto cipher = new_cipher();
        int size = 0;
        check(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key->data(), readable(nonce)));
        check(EVP_DecryptUpdate(cipher.get(), nullptr, &size, readable(bound), length(bound)));
        check(EVP_DecryptUpdate(cipher.get(), writable(text), &size, readable(body), length(body)));
        check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, int(tag_size), tag.data()));
        if (EVP_DecryptFinal_ex(cipher.get(), writable(text) + text.size(), &size) != 1) throw changed(argument);
        return text;
    }

private:
    static constexpr std::size_t nonce_size = 12, tag_size = 16;

    struct freed {
        void operator()(EVP_CIPHER_CTX* made) const { EVP_CIPHER_CTX_free(made); }
    };

    static std::unique_ptr<EVP_CIPHER_CTX, freed> new_cipher() {
        std::unique_ptr<EVP_CIPHER_CTX, freed> made(EVP_CIPHER_CTX_new());
        check(made ? 1 : 0);
        return made;
    }

    static error changed(std::string_view key) {
        return {errc::bad_payload, "it was changed, cut or moved since it was encrypted with key " + in_quotes(key) +
                                       ", or this program has another key of that id"};
    }

    static void check(int done) {
        if (done != 1) throw error(errc::unavailable, "OpenSSL could not do AES-256-GCM");
    }

    static const unsigned char* readable(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
    static unsigned char* writable(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
    static int length(std::string_view bytes) {
        if (bytes.size() <= std::size_t((std::numeric_limits<int>::max)())) return int(bytes.size());
        throw error(errc::too_large, "more than 2 GiB can't be encrypted at once");
    }

    const key_ring keys_;
};

}  // namespace detail

/// Encrypts with the ring's current key (AES-256-GCM, a random nonce each time); what was changed is refused, and what was put in
/// another place as far as its kind is bound to one: a payload to queue and task's name, a step to its task; docs/payloads.md has
/// the table. For `coded`; behind all that is not secret. Change a key before it has encrypted 2^32 texts: 10 days at 5,000 a
/// second. Link OpenSSL, as the library needs anyway.
inline payload_codec_ptr encrypted(key_ring keys) { return std::make_shared<detail::aes_gcm_codec>(std::move(keys)); }

}  // namespace taskflux
