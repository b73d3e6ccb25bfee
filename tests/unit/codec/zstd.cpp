#include <taskflux/codec/coded/pipeline.hpp>
#include <taskflux/codec/encrypted.hpp>
#include <taskflux/codec/zstd.hpp>
#include <taskflux/core/codec/output.hpp>
#include <taskflux/core/codec/text.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

using namespace taskflux;

namespace codec_zstd {

std::string coded_form_of(std::string_view codecs, std::string_view bytes) {
    std::string base64;
    detail::output out(base64);
    detail::append_base64(out, bytes);
    out.finish();
    return R"({"$coded":")" + std::string(codecs) + R"(","data":")" + base64 + R"("})";
}

std::string packed(std::string_view text) {
    std::string made(ZSTD_compressBound(text.size()), '\0');
    made.resize(ZSTD_compress(made.data(), made.size(), text.data(), text.size(), 3));
    return made;
}

key_ring keys() { return {"k1", encryption_key(std::string(encryption_key::size, 'a'))}; }

bool says(const error& e, std::string_view part) { return std::string_view(e.what()).find(part) != std::string_view::npos; }

/// JSON as tasks have it: the same names, other values.
std::string orders(int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) {
        if (i > 0) text += ',';
        text += R"({"customer":")" + std::to_string(i * 7919 % 10007) + R"(","amount":)" + std::to_string(i * 31) + R"(,"currency":"EUR"})";
    }
    return text + "]";
}

}  // namespace codec_zstd

BOOST_AUTO_TEST_SUITE(codec_zstd)

BOOST_AUTO_TEST_CASE(a_text_is_compressed_from_the_threshold_on) {
    const detail::codec_pipeline by({compressed(zstd_options().threshold(100))}, false);
    BOOST_TEST(by.encode(std::string(99, 'x'), "here") == std::string(99, 'x'));
    const std::string text(100, 'x');
    const auto stored = by.encode(text, "here");
    BOOST_TEST((codecs_of(stored) == "zstd"));
    BOOST_TEST(by.decode(stored, "here") == text);
}

BOOST_AUTO_TEST_CASE(a_text_that_does_not_get_shorter_stays_as_it_is) {
    const detail::codec_pipeline by({compressed(zstd_options().threshold(0))}, false);
    std::mt19937 random(1);
    std::string noise(5000, '\0');
    for (auto& c : noise) c = static_cast<char>('!' + random() % 90);
    BOOST_TEST(by.encode(noise, "here") == noise);
    BOOST_TEST(by.encode("", "here") == "");
    BOOST_TEST(by.encode("1", "here") == "1");
}

BOOST_AUTO_TEST_CASE(texts_of_every_length_come_back_compressed_and_encrypted) {
    const detail::codec_pipeline both({compressed(zstd_options().threshold(64)), encrypted(keys())}, false);
    for (int count = 0; count < 200; ++count) {
        const auto text = orders(count);
        const auto stored = both.encode(text, "here");
        BOOST_TEST_REQUIRE((codecs_of(stored) == (text.size() < 200 ? "aes-256-gcm:k1" : "zstd aes-256-gcm:k1") || text.size() < 400));
        BOOST_TEST_REQUIRE(both.decode(stored, "here") == text);
        BOOST_TEST_REQUIRE(both.decode_message(both.encode_message(text)) == text);
    }
}

BOOST_AUTO_TEST_CASE(what_is_compressed_before_it_is_encrypted_is_shorter_than_the_text_in_spite_of_base64) {
    const auto text = orders(100);
    const detail::codec_pipeline alone({encrypted(keys())}, false), both({compressed(), encrypted(keys())}, false);
    BOOST_TEST(alone.encode(text, "here").size() > text.size() * 4 / 3);
    BOOST_TEST(both.encode(text, "here").size() < text.size() / 2);
    BOOST_TEST_MESSAGE(text.size() << " bytes: encrypted " << alone.encode(text, "here").size() << ", compressed and encrypted "
                                   << both.encode(text, "here").size());
}

BOOST_AUTO_TEST_CASE(a_bomb_is_refused_before_memory_is_taken) {
    const detail::codec_pipeline by({compressed(zstd_options().max_size(1 << 20))}, false);
    const std::string fits(1 << 20, '\0');
    BOOST_TEST(by.decode(coded_form_of("zstd", packed(fits)), "here").size() == fits.size());
    const auto bomb = packed(std::string((1 << 20) + 1, '\0'));
    BOOST_TEST(bomb.size() < 200U);
    BOOST_CHECK_EXCEPTION(by.decode(coded_form_of("zstd", bomb), "here"), error, [](const error& e) {
        return e.code() == errc::too_large && says(e, "1048577 bytes, and zstd_options::max_size allows 1048576");
    });
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_or_cut_is_refused) {
    const detail::codec_pipeline by({compressed()}, false);
    const auto frame = packed(orders(20));
    for (std::size_t size = 0; size < frame.size(); ++size) {
        BOOST_CHECK_THROW(by.decode(coded_form_of("zstd", frame.substr(0, size)), "here"), error);
    }
    std::mt19937 random(2);
    for (int i = 0; i < 2000; ++i) {  // whatever bytes: an error or a text, within the limit
        auto changed = frame;
        changed[random() % changed.size()] = static_cast<char>(random() & 0xff);
        try {
            BOOST_TEST(by.decode(coded_form_of("zstd", changed), "here").size() <= std::size_t(64 << 20));
        } catch (const error&) {
        }
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_unpacked_that_was_packed_without_a_key) {
    const detail::codec_pipeline both({compressed(), encrypted(keys())}, false);
    const auto is_refused = [](const error& e) { return says(e, "it is not encrypted"); };
    BOOST_CHECK_EXCEPTION(both.decode(coded_form_of("zstd", packed("{}")), "here"), error, is_refused);
    const auto inner = detail::codec_pipeline({encrypted(keys())}, false).encode_message("{}");
    const auto bytes = inner.substr(inner.find('\n') + 1);
    BOOST_CHECK_EXCEPTION(both.decode(coded_form_of("aes-256-gcm:k1 zstd", packed(bytes)), "here"), error, is_refused);
}

BOOST_AUTO_TEST_CASE(a_codec_cannot_be_left_out_of_what_is_stored) {
    const detail::codec_pipeline both({compressed(), encrypted(keys())}, false);
    auto stored = both.encode(orders(100), "here");
    const std::string name = "zstd ";
    stored.erase(stored.find(name), name.size());
    BOOST_CHECK_EXCEPTION(both.decode(stored, "here"), error, [](const error& e) { return says(e, "changed, cut or moved"); });
}

BOOST_AUTO_TEST_CASE(a_level_that_zstd_does_not_have_is_refused) {
    BOOST_CHECK_THROW(zstd_options().level(0), error);
    BOOST_CHECK_THROW(zstd_options().level(20), error);
    for (const int level : {1, 19}) {
        const detail::codec_pipeline by({compressed(zstd_options().level(level))}, false);
        const auto text = orders(50);
        BOOST_TEST(by.decode(by.encode(text, "here"), "here") == text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
