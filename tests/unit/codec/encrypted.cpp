#include <taskflux/codec/coded/pipeline.hpp>
#include <taskflux/codec/encrypted.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace taskflux;

namespace codec_encrypted {

encryption_key key_of(char byte) { return encryption_key(std::string(encryption_key::size, byte)); }

detail::codec_pipeline with(const key_ring& keys, bool takes_plain = false) {
    return detail::codec_pipeline({encrypted(keys)}, takes_plain);
}

/// What the call says that can't read a text; empty where it can.
std::string trouble(const detail::codec_pipeline& by, const std::string& stored, const std::string& place = "here") {
    try {
        by.decode(stored, place);
    } catch (const error& e) {
        BOOST_TEST((e.code() == errc::bad_payload));
        return e.what();
    }
    return {};
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Makes whatever it is told to.
class own_codec final : public payload_codec {
public:
    own_codec(bool is_secret, std::optional<coded_bytes> makes) : is_secret_(is_secret), makes_(std::move(makes)) {}
    std::string_view name() const override { return "own"; }
    bool is_secret() const override { return is_secret_; }
    std::optional<coded_bytes> encode(std::string_view, std::string_view) const override { return makes_; }
    std::string decode(std::string_view, std::string_view, std::string_view) const override { return {}; }

private:
    const bool is_secret_;
    const std::optional<coded_bytes> makes_;
};

std::string random_bytes(std::mt19937& random, std::size_t size) {
    std::string made(size, '\0');
    for (auto& c : made) c = static_cast<char>(random() & 0xff);
    return made;
}

}  // namespace codec_encrypted

BOOST_AUTO_TEST_SUITE(codec_encrypted)

BOOST_AUTO_TEST_CASE(texts_of_every_length_and_of_any_bytes_come_back) {
    const auto by = with(key_ring("k1", key_of('a')));
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 600; ++size) {
        const auto text = random_bytes(random, size);
        BOOST_TEST_REQUIRE((by.decode(by.encode(text, "here"), "here") == text), size);
        BOOST_TEST_REQUIRE((by.decode_message(by.encode_message(text)) == text), size);
    }
    for (int i = 0; i < 20; ++i) {
        const auto text = random_bytes(random, random() % 300'000);
        BOOST_TEST((by.decode(by.encode(text, "here"), "here") == text));
    }
}

BOOST_AUTO_TEST_CASE(what_is_stored_is_json_that_names_the_codec_and_the_key_and_nothing_of_the_text) {
    const auto by = with(key_ring("k1", key_of('a')));
    const std::string text = R"({"name":"very secret indeed"})";
    const auto stored = by.encode(text, "here");
    BOOST_TEST(stored.starts_with(R"({"$coded":"aes-256-gcm:k1","data":")"));
    BOOST_TEST(stored.ends_with(R"("})"));
    BOOST_TEST((codecs_of(stored) == "aes-256-gcm:k1"));
    BOOST_TEST(!says(stored, "secret"));
    BOOST_TEST(!says(by.encode_message(text), "secret"));
    // A nonce of 12 bytes and a tag of 16, as base64, in a form of 37 characters.
    BOOST_TEST(stored.size() == (text.size() + 28 + 2) / 3 * 4 + 37);
}

BOOST_AUTO_TEST_CASE(a_text_is_encrypted_to_another_one_each_time) {
    const auto by = with(key_ring("k1", key_of('a')));
    BOOST_TEST(by.encode("same", "here") != by.encode("same", "here"));
}

BOOST_AUTO_TEST_CASE(a_change_of_any_byte_is_noticed) {
    const auto by = with(key_ring("k1", key_of('a')).also("k2", key_of('b')));
    const auto stored = by.encode(R"({"amount":100})", "here");
    for (std::size_t at = 0; at < stored.size(); ++at) {
        for (const char flip : {'\x01', '\x02', '\x20', '\x80'}) {
            auto changed = stored;
            changed[at] = static_cast<char>(changed[at] ^ flip);
            BOOST_TEST_REQUIRE(!trouble(by, changed).empty(), at);
        }
    }
    const auto sent = by.encode_message("message");
    for (std::size_t at = 0; at < sent.size(); ++at) {
        auto changed = sent;
        changed[at] = static_cast<char>(changed[at] ^ '\x01');
        BOOST_CHECK_THROW(by.decode_message(changed), error);
    }
}

BOOST_AUTO_TEST_CASE(what_is_cut_or_longer_is_noticed) {
    const auto by = with(key_ring("k1", key_of('a')));
    const auto stored = by.encode(R"({"amount":100})", "here");
    for (std::size_t size = 1; size < stored.size(); ++size) {
        BOOST_TEST_REQUIRE(!trouble(by, stored.substr(0, size)).empty(), size);
    }
    BOOST_TEST(!trouble(by, stored + " ").empty());
    const std::string none = R"({"$coded":"aes-256-gcm:k1","data":""})";
    BOOST_TEST(says(trouble(by, none), "it was changed, cut or moved"));
}

BOOST_AUTO_TEST_CASE(what_is_put_in_another_place_is_not_read) {
    const auto by = with(key_ring("k1", key_of('a')));
    const auto stored = by.encode("1", "payload\nq\ncharge");
    BOOST_TEST(trouble(by, stored, "payload\nq\ncharge") == "");
    BOOST_TEST(says(trouble(by, stored, "payload\nq\nrefund"), "changed, cut or moved since it was encrypted with key \"k1\""));
}

BOOST_AUTO_TEST_CASE(after_a_rotation_both_keys_read_and_the_new_one_writes) {
    const auto before = with(key_ring("k1", key_of('a')));
    const auto after = with(key_ring("k2", key_of('b')).also("k1", key_of('a')));
    BOOST_TEST(after.decode(before.encode("old", "here"), "here") == "old");
    const auto stored = after.encode("new", "here");
    BOOST_TEST((codecs_of(stored) == "aes-256-gcm:k2"));
    BOOST_TEST(after.decode(stored, "here") == "new");
    BOOST_TEST(trouble(before, stored) ==
               "it is encrypted with key \"k2\", which this program does not have: add it to its key_ring");
}

BOOST_AUTO_TEST_CASE(another_key_of_the_same_id_does_not_read) {
    const auto stored = with(key_ring("k1", key_of('a'))).encode("1", "here");
    BOOST_TEST(says(trouble(with(key_ring("k1", key_of('b'))), stored), "or this program has another key of that id"));
}

BOOST_AUTO_TEST_CASE(what_nobody_has_encrypted_is_refused_unless_it_is_allowed) {
    const key_ring keys("k1", key_of('a'));
    BOOST_TEST(says(trouble(with(keys), "{}"), "it is not encrypted, and this broker takes only what is"));
    BOOST_TEST(says(trouble(with(keys), R"({"$coded":"","data":"e30="})"), "it is not encrypted"));
    BOOST_CHECK_THROW(with(keys).decode_message("plain"), error);
    BOOST_TEST(with(keys, true).decode("{}", "here") == "{}");
    BOOST_TEST(with(keys, true).decode_message("plain") == "plain");
}

BOOST_AUTO_TEST_CASE(a_codec_that_is_not_here_is_named) {
    const auto by = with(key_ring("k1", key_of('a')), true);
    BOOST_TEST(says(trouble(by, R"({"$coded":"brotli","data":"e30="})"), "it went through the codec \"brotli\", which this broker"));
}

BOOST_AUTO_TEST_CASE(a_plain_text_that_looks_as_if_it_were_coded_comes_back) {
    const detail::codec_pipeline by({}, false);
    const std::string text = R"({"$coded":"aes-256-gcm:k1","data":"AAAA"})";
    const auto stored = by.encode(text, "here");
    BOOST_TEST(stored != text);
    BOOST_TEST(by.decode(stored, "here") == text);
    const std::string mark("\0coded aes", 10);
    BOOST_TEST((by.decode_message(by.encode_message(mark)) == mark));
    BOOST_TEST(by.encode("{}", "here") == "{}");
    BOOST_TEST(by.encode_message("{}") == "{}");
}

BOOST_AUTO_TEST_CASE(what_only_resembles_the_form_is_a_plain_text) {
    for (const std::string_view text :
         {R"({"$coded":"a","data":"")", R"({"$coded":"a","data":})", R"({"$coded":"a\n","data":""})", R"({"$coded":"})",
          R"({"$coded":"a"})", R"({ "$coded":"a","data":""})", ""}) {
        BOOST_TEST(!codecs_of(text).has_value(), text);
    }
    BOOST_TEST((codecs_of(R"({"$coded":"a b:c","data":""})") == "a b:c"));
}

BOOST_AUTO_TEST_CASE(codecs_that_write_what_nobody_could_read_are_refused) {
    const auto told = [](auto make) {
        try {
            make();
        } catch (const error& e) {
            BOOST_TEST((e.code() == errc::invalid_argument));
            return std::string(e.what());
        }
        return std::string();
    };
    const auto pipeline = [](std::vector<payload_codec_ptr> codecs) {
        return [codecs = std::move(codecs)] { detail::codec_pipeline made(codecs, false); };
    };
    const auto aes = encrypted(key_ring("k1", key_of('a')));
    const auto open_one = std::make_shared<const own_codec>(false, coded_bytes());
    BOOST_TEST(told(pipeline({open_one, aes})) == "");
    BOOST_TEST(says(told(pipeline({aes, open_one})), "the codec \"own\" stands behind a secret one"));
    BOOST_TEST(says(told(pipeline({aes, aes})), "two codecs for taskflux::coded have the name \"aes-256-gcm\""));
    const auto writing = [](bool is_secret, std::optional<coded_bytes> what) {
        return [=] { detail::codec_pipeline({std::make_shared<const own_codec>(is_secret, what)}, false).encode("1", "here"); };
    };
    for (const std::string& argument : {std::string("a\"b"), std::string("a\n"), std::string("a b"), std::string("a:b"), std::string(65, 'a')}) {
        coded_bytes made;
        made.argument = argument;
        BOOST_TEST(says(told(writing(false, made)), "the codec \"own\" has made an argument that can't be stored"), argument);
    }
    coded_bytes fits;
    fits.argument.assign(64, 'a');
    BOOST_TEST(told(writing(false, fits)) == "");
    BOOST_TEST(told(writing(false, std::nullopt)) == "");
    BOOST_TEST(says(told(writing(true, std::nullopt)), "the codec \"own\" is secret, and has left a text as it is"));
}

BOOST_AUTO_TEST_CASE(keys_that_cannot_be_are_refused_without_being_shown) {
    const std::string short_key = "a-password-of-mine";
    const auto told = [](auto make) {
        try {
            make();
        } catch (const error& e) {
            BOOST_TEST((e.code() == errc::invalid_argument));
            return std::string(e.what());
        }
        return std::string();
    };
    BOOST_TEST(told([&] { encryption_key made(short_key); }) == "an encryption key has 18 bytes; use 32 random ones");
    const auto text = told([] { encryption_key::from_base64("not base64!"); });
    BOOST_TEST(says(text, "openssl rand -base64 32"));
    BOOST_TEST(!says(text, "not base64!"));
    for (const std::string& id : {std::string(), std::string("a b"), std::string("a:b"), std::string(65, 'a'), std::string("a\"")}) {
        BOOST_TEST(says(told([&] { key_ring made(id, key_of('a')); }), "not the id of an encryption key"));
    }
    BOOST_TEST(says(told([] { key_ring("k", key_of('a')).also("k", key_of('b')); }), "two encryption keys have the id \"k\""));
    BOOST_TEST(says(told([] { detail::codec_pipeline made({nullptr}, false); }), "null pointer"));
}

BOOST_AUTO_TEST_CASE(a_key_is_read_from_base64_as_openssl_prints_it) {
    const auto key = encryption_key::from_base64("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n");
    const auto stored = with(key_ring("k1", key)).encode("1", "here");
    BOOST_TEST(with(key_ring("k1", key_of('a'))).decode(stored, "here") == "1");
    BOOST_TEST(std::string(reinterpret_cast<const char*>(encryption_key::random().data()), encryption_key::size) !=
               std::string(reinterpret_cast<const char*>(encryption_key::random().data()), encryption_key::size));
}

BOOST_AUTO_TEST_SUITE_END()
