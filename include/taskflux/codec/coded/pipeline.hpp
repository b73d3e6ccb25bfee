#pragma once

#include <taskflux/codec/payload_codec.hpp>
#include <taskflux/core/codec/coded.hpp>
#include <taskflux/core/codec/output.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Some codecs, one after the other, and the form in which what they have made is stored. Thread-safe.
class codec_pipeline {
public:
    /// `takes_plain`: texts that no secret codec has made are read as well.
    codec_pipeline(std::vector<payload_codec_ptr> codecs, bool takes_plain) : codecs_(std::move(codecs)), takes_plain_(takes_plain) {
        for (const auto& one : codecs_) {
            if (!one) throw error(errc::invalid_argument, "a codec for taskflux::coded is a null pointer");
            const auto name = one->name();
            const bool is_name = !name.empty() && name.size() <= 32 && name.find(':') == std::string_view::npos &&
                                 std::ranges::all_of(name, coded_form::is_name_character);
            if (!is_name) {
                throw error(errc::invalid_argument,
                            "not the name of a codec: " + in_quotes(name) + "; use 1 to 32 of A-Z a-z 0-9 - _ . /");
            }
            if (std::ranges::count(codecs_, name, [](const auto& other) { return other->name(); }) > 1) {
                throw error(errc::invalid_argument, "two codecs for taskflux::coded have the name " + in_quotes(name) +
                                                        ", so that nobody could say which one reads: give each one of its own");
            }
            if (is_secret_ && !one->is_secret()) {  // nothing is decoded by it before a key has proved what it is
                throw error(errc::invalid_argument, "the codec " + in_quotes(name) + " stands behind a secret one, where it would write "
                                                        "what is refused: put it before (compressed(), encrypted(keys))");
            }
            is_secret_ = is_secret_ || one->is_secret();
        }
    }

    bool is_secret() const { return is_secret_; }

    /// Whether texts that no secret codec has made are refused.
    bool refuses_plain() const { return is_secret_ && !takes_plain_; }

    /// What is stored for a text that belongs to `place`.
    std::string encode(std::string text, std::string_view place) const {
        auto [codecs, bytes] = applied(std::move(text), place);
        const bool stays = codecs.empty() && !coded_parts_of(bytes);
        if (stays) return std::move(bytes);
        return in_form(codecs, bytes);
    }

    /// The form in which bytes are stored that went through `codecs`.
    static std::string in_form(std::string_view codecs, std::string_view bytes) {
        using form = coded_form;
        std::string made;
        made.reserve(form::begin.size() + codecs.size() + form::middle.size() + (bytes.size() + 2) / 3 * 4 + form::end.size());
        made.append(form::begin).append(codecs).append(form::middle);
        {
            output out(made);
            append_base64(out, bytes);
            out.finish();
        }
        made.append(form::end);
        return made;
    }

    /// The text that `encode` was given. Throws `bad_payload`, whose text says why: a codec or key that is not here, bytes that were
    /// changed or belong to another place.
    std::string decode(std::string stored, std::string_view place) const {
        const auto parts = coded_parts_of(stored);
        if (!parts) {
            check_plain(false);
            return stored;
        }
        auto bytes = from_base64(parts->data);
        if (!bytes) throw error(errc::bad_payload, "it is not base64: it was changed or cut");
        return undone(parts->codecs, std::move(*bytes), place);
    }

    /// As `encode`, without a form that is JSON: a third shorter, for messages that are not stored.
    std::string encode_message(std::string text) const {
        auto [codecs, bytes] = applied(std::move(text), message_place);
        if (codecs.empty() && !bytes.starts_with(message_mark)) return std::move(bytes);
        return std::string(message_mark).append(codecs).append(1, '\n').append(bytes);
    }

    std::string decode_message(std::string_view sent) const {
        if (!sent.starts_with(message_mark)) {
            check_plain(false);
            return std::string(sent);
        }
        sent.remove_prefix(message_mark.size());
        const auto end = sent.find('\n');
        if (end == std::string_view::npos) throw error(errc::bad_payload, "it was cut");
        return undone(sent.substr(0, end), std::string(sent.substr(end + 1)), message_place);
    }

private:
    static constexpr std::string_view message_mark{"\0coded ", 7};
    static constexpr std::string_view message_place = "message";

    struct changed {
        std::string codecs;
        std::string bytes;
    };

    /// What a codec binds to its bytes: the codecs before it, so that none can be left out, and the place.
    static std::string bound(std::string_view codecs, std::string_view place) {
        return std::string("taskflux 1\n").append(codecs).append(1, '\n').append(place);
    }

    changed applied(std::string text, std::string_view place) const {
        changed made;
        made.bytes = std::move(text);
        for (const auto& one : codecs_) {
            auto next = one->encode(made.bytes, bound(made.codecs, place));
            if (!next && one->is_secret()) {
                throw error(errc::invalid_argument, "the codec " + in_quotes(one->name()) + " is secret, and has left a text as it is: its "
                                                        "encode must return bytes for every text");
            }
            if (!next) continue;
            check_argument(one->name(), next->argument);
            made.bytes = std::move(next->bytes);
            if (!made.codecs.empty()) made.codecs += ' ';
            made.codecs += one->name();
            if (!next->argument.empty()) made.codecs.append(1, ':').append(next->argument);
        }
        return made;
    }

    std::string undone(std::string_view codecs, std::string bytes, std::string_view place) const {
        bool was_secret = false;
        while (!codecs.empty()) {
            const auto space = codecs.rfind(' ');
            const auto last = space == std::string_view::npos ? codecs : codecs.substr(space + 1);
            codecs = space == std::string_view::npos ? std::string_view() : codecs.substr(0, space);
            const auto colon = last.find(':');
            const auto name = last.substr(0, colon);
            const auto argument = colon == std::string_view::npos ? std::string_view() : last.substr(colon + 1);
            const auto found = std::ranges::find(codecs_, name, [](const auto& one) { return one->name(); });
            if (found == codecs_.end()) {
                throw error(errc::bad_payload, "it went through the codec " + in_quotes(name) +
                                                   ", which this broker is made without: give it to taskflux::coded");
            }
            // Nothing that only a key proves is trusted before: a bomb that anyone may write is not unpacked.
            was_secret = was_secret || (*found)->is_secret();
            if (!was_secret) check_plain(false);
            bytes = decoded(**found, bytes, argument, bound(codecs, place));
        }
        check_plain(was_secret);
        return bytes;
    }

    /// Whatever a codec throws, callers get an `error`; but for lack of memory, which says nothing of the text.
    static std::string decoded(const payload_codec& by, std::string_view bytes, std::string_view argument, std::string_view place) {
        std::string why;
        try {
            return by.decode(bytes, argument, place);
        } catch (const error&) {
            throw;
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& e) {
            why = std::string(": ") + e.what();
        } catch (...) {  // it has no text
        }
        throw error(errc::bad_payload, "its codec " + in_quotes(by.name()) + " failed" + why);
    }

    static void check_argument(std::string_view codec, std::string_view argument) {
        const bool is_one = argument.size() <= 64 && argument.find(':') == std::string_view::npos &&
                            std::ranges::all_of(argument, coded_form::is_name_character);
        if (is_one) return;
        throw error(errc::invalid_argument, "the codec " + in_quotes(codec) + " has made an argument that can't be stored: " +
                                                in_quotes(argument, 100) + "; use up to 64 of A-Z a-z 0-9 - _ . /");
    }

    void check_plain(bool was_secret) const {
        if (!refuses_plain() || was_secret) return;
        throw error(errc::bad_payload, "it is not encrypted, and this broker takes only what is (coded_options::take_plain allows it)");
    }

    const std::vector<payload_codec_ptr> codecs_;
    const bool takes_plain_;
    bool is_secret_ = false;
};

}  // namespace taskflux::detail
