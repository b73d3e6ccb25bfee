#include "certificates.hpp"
#include "gate.hpp"

#include <taskflux/http/tls.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace http_answers {

using namespace http_test;
using namespace std::chrono_literals;

asio::awaitable<void> three(http::body_writer& out) {
    for (const char* const piece : {"one", "", "two", "three"}) {
        std::string text = piece;
        co_await out.write(std::move(text));
    }
}

asio::awaitable<void> breaks(http::body_writer& out) {
    std::string text = "begun";
    co_await out.write(std::move(text));
    throw std::runtime_error("broken");
}

asio::awaitable<http::response> streams(http::response::producer by, http::call&) {
    auto made = http::response::stream(200, "text/plain", by);
    co_return made;
}

asio::awaitable<http::response> sends(std::string file, http::call&) {
    const http::response::file part(file, 100'000, 500'000);
    auto made = http::response::bytes_of(206, "application/octet-stream", part);
    co_return made;
}

asio::awaitable<http::response> long_text(http::call&) {
    http::response made(200, "text/plain", std::string(5000, 'a'));
    made.header("ETag", "\"1\"");
    co_return made;
}

asio::awaitable<http::response> fails(http::call&) { throw std::runtime_error("secret"); co_return http::response(200); }

asio::awaitable<http::response> counts(http::call& in) {
    std::uint64_t size = 0;
    for (;;) {
        const std::string piece = co_await in.read_some();
        if (piece.empty()) break;
        size += piece.size();
    }
    http::response made(200, "text/plain", std::to_string(size));
    co_return made;
}

struct answers : gate {
    explicit answers(taskflux::gateway_options options = taskflux::gateway_options()) : gate(options.access_log(http::access_form::common)) {
        {
            std::ofstream out(file, std::ios::binary);
            for (int i = 0; i < 200'000; ++i) out << "abcde";
        }
        auto& routes = gateway.routes();
        routes.add("GET /three", http::permission::none, std::bind_front(&streams, &three));
        routes.add("GET /breaks", http::permission::none, std::bind_front(&streams, &breaks));
        routes.add("GET /file", http::permission::none, std::bind_front(&sends, file));
        routes.add("GET /gone", http::permission::none, std::bind_front(&sends, std::string("/nowhere")));
        routes.add("GET /long", http::permission::none, &long_text);
        routes.add("GET /fails", http::permission::none, &fails);
        routes.add("POST /count", http::permission::none, &counts).max_body(1 << 30);
        begin();
    }
    ~answers() {
        end();
        std::remove(file.c_str());
    }

    const std::string file = std::filesystem::temp_directory_path() / ("taskflux_http_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)));
};

BOOST_FIXTURE_TEST_SUITE(http_answers, answers)

BOOST_AUTO_TEST_CASE(a_streamed_body_comes_in_chunks) {
    auto one = connect();
    BOOST_TEST(body(one.ask(get("/three"))) == "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
    BOOST_TEST(status(one.ask(get("/livez"))) == 200U);
    BOOST_TEST(body(connect().send("GET /three HTTP/1.0\r\n\r\n").rest()) == "onetwothree");
    one.send("HEAD /three HTTP/1.1\r\nHost: x\r\n\r\n");
    BOOST_TEST(wire::header(one.answer(false), "Transfer-Encoding") == "chunked");
    BOOST_TEST(status(one.ask(get("/livez"))) == 200U);
}

BOOST_AUTO_TEST_CASE(a_body_that_breaks_off_is_seen_to_be_broken) {
    const auto all = connect().send(get("/breaks")).rest();
    BOOST_TEST(status(all) == 200U);
    BOOST_TEST(body(all) == "5\r\nbegun\r\n");
    end();
    bool is_said = false;
    for (const auto& line : said()) is_said = is_said || line.text.find("broken") != std::string::npos;
    BOOST_TEST(is_said);
}

BOOST_AUTO_TEST_CASE(a_part_of_a_file_is_sent) {
    const auto got = body(ask(get("/file")));
    BOOST_TEST(got.size() == 500'000U);
    BOOST_TEST(got.starts_with("abcde"));
    BOOST_TEST(status(ask(get("/gone"))) == 404U);
}

BOOST_AUTO_TEST_CASE(a_large_body_is_read_as_it_comes) {
    auto one = connect();
    std::string chunk = "10000\r\n" + std::string(65536, 'a') + "\r\n";
    one.send("POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 200; ++i) one.send(chunk);
    BOOST_TEST(body(one.ask("0\r\n\r\n")) == std::to_string(200 * 65536));
    BOOST_TEST(body(one.ask(post("/count", std::string(3'000'000, 'b')))) == "3000000");
}

BOOST_AUTO_TEST_CASE(a_long_text_is_compressed_for_who_takes_it) {
    const auto zipped = ask(get("/long", "Accept-Encoding: gzip\r\n"));
    BOOST_TEST(wire::header(zipped, "Content-Encoding") == "gzip");
    BOOST_TEST(wire::header(zipped, "Vary") == "Accept-Encoding");
    BOOST_TEST(wire::header(zipped, "ETag") == "W/\"1\"");
    BOOST_TEST(body(zipped).size() < 200U);
    const auto plain = ask(get("/long"));
    BOOST_TEST(body(plain).size() == 5000U);
    BOOST_TEST(wire::header(plain, "Vary") == "Accept-Encoding");
}

BOOST_AUTO_TEST_CASE(a_fault_of_the_server_is_logged_with_the_requests_id_and_not_shown) {
    const auto made = ask(get("/fails", "X-Request-Id: mine\r\n"));
    BOOST_TEST(status(made) == 500U);
    BOOST_TEST(made.find("secret") == std::string::npos);
    end();
    bool is_logged = false, is_accessed = false;
    for (const auto& line : said()) {
        const bool is_mine = line.fields.contains("request_id") && line.fields.at("request_id") == "mine";
        is_logged = is_logged || (is_mine && line.text.find("secret") != std::string::npos);
        is_accessed = is_accessed || (is_mine && line.text.find("\"GET /fails HTTP/1.1\" 500") != std::string::npos);
    }
    BOOST_TEST(is_logged);
    BOOST_TEST(is_accessed);
}

struct allowing : answers {
    allowing() : answers(taskflux::gateway_options().cors(http::cors().allow("https://a.org"))) {}
};

BOOST_FIXTURE_TEST_CASE(a_preflight_is_answered, allowing) {
    const auto made = ask("OPTIONS /count HTTP/1.1\r\nHost: x\r\nOrigin: https://a.org\r\nAccess-Control-Request-Method: POST\r\n\r\n");
    BOOST_TEST(status(made) == 204U);
    BOOST_TEST(wire::header(made, "Access-Control-Allow-Methods") == "POST, OPTIONS");
    BOOST_TEST(wire::header(ask(get("/nowhere", "Origin: https://a.org\r\n")), "Access-Control-Allow-Origin") == "https://a.org");
}

struct encrypted : answers {
    encrypted()
        : answers(taskflux::gateway_options().carry_by(http::tls_self_signed()).hsts(std::chrono::hours(1)).redirect_from(0)) {}

    /// What is answered to bytes that are sent encrypted, until the connection ends.
    std::string ask_encrypted(std::string_view bytes, int version = 0) {
        asio::io_context mine;
        asio::ssl::context settings(asio::ssl::context::tls_client);
        if (version != 0) SSL_CTX_set_max_proto_version(settings.native_handle(), version);
        asio::ssl::stream<tcp::socket> stream(mine, settings);
        stream.next_layer().connect(tcp::endpoint(asio::ip::address_v4::loopback(), gateway.port()));
        stream.handshake(asio::ssl::stream_base::client);
        asio::write(stream, asio::buffer(bytes.data(), bytes.size()));
        std::string all;
        boost::system::error_code ec;
        asio::read(stream, asio::dynamic_buffer(all), ec);
        return all;
    }
};

BOOST_FIXTURE_TEST_CASE(an_encrypted_connection_is_served, encrypted) {
    const auto all = ask_encrypted(get("/livez") + get("/file", "Connection: close\r\n"));
    BOOST_TEST(status(all) == 200U);
    BOOST_TEST(wire::header(all, "Strict-Transport-Security") == "max-age=3600");
    BOOST_TEST(all.size() > 500'000U);
    BOOST_TEST(status(ask_encrypted(get("/livez", "Connection: close\r\n"), TLS1_2_VERSION)) == 200U);
    BOOST_CHECK_THROW(ask_encrypted(get("/livez"), TLS1_1_VERSION), boost::system::system_error);
}

BOOST_FIXTURE_TEST_CASE(bytes_that_are_not_encrypted_are_not_answered_as_http, encrypted) {
    BOOST_TEST(connect().send(get("/livez")).rest().find("HTTP/1.1") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_port_without_encryption_leads_to_the_other, encrypted) {
    const auto made = wire(gateway.redirect_port()).ask("GET /a?b=c HTTP/1.1\r\nHost: localhost:80\r\n\r\n");
    BOOST_TEST(status(made) == 308U);
    BOOST_TEST(wire::header(made, "Location") == "https://localhost:" + std::to_string(gateway.port()) + "/a?b=c");
    BOOST_TEST(wire::header(made, "Strict-Transport-Security") == "");
}

/// Files that are removed with it.
struct pem_files {
    pem_files() { write(certificate_one, key_one); }
    ~pem_files() {
        std::remove(certificate.c_str());
        std::remove(key.c_str());
    }

    void write(std::string_view certificate_text, std::string_view key_text) const {
        std::ofstream(certificate, std::ios::binary) << certificate_text;
        std::ofstream(key, std::ios::binary) << key_text;
        // Systems tell times of files in steps that a test is quicker than.
        static int later = 0;
        for (const auto& file : {certificate, key}) {
            std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(++later));
        }
    }

    const std::string stem = std::filesystem::temp_directory_path() / ("taskflux_tls_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)));
    const std::string certificate = stem + ".pem", key = stem + ".key";
};

struct with_files : pem_files, answers {
    with_files() : answers(taskflux::gateway_options().carry_by(http::tls(certificate, key))) {}

    /// The name in the certificate that a new connection gets.
    std::string name() {
        asio::io_context mine;
        asio::ssl::context settings(asio::ssl::context::tls_client);
        asio::ssl::stream<tcp::socket> stream(mine, settings);
        stream.next_layer().connect(tcp::endpoint(asio::ip::address_v4::loopback(), gateway.port()));
        stream.handshake(asio::ssl::stream_base::client);
        X509* const given = SSL_get1_peer_certificate(stream.native_handle());
        char text[64] = {};
        X509_NAME_get_text_by_NID(X509_get_subject_name(given), NID_commonName, text, sizeof text);
        X509_free(given);
        return text;
    }

    bool has_said(std::string_view what) {
        for (const auto& line : said()) {
            if (line.text.find(what) != std::string::npos) return true;
        }
        return false;
    }
};

BOOST_FIXTURE_TEST_CASE(a_certificate_that_has_changed_is_read_again, with_files) {
    BOOST_TEST(name() == "one");
    write(certificate_two, key_one);  // half of it
    while (!has_said("the one before stays in use")) BOOST_TEST(name() == "one");
    write(certificate_two, key_two);
    std::string now = name();
    while (now == "one") now = name();
    BOOST_TEST(now == "two");
    BOOST_TEST(has_said("was read again"));
}

BOOST_AUTO_TEST_CASE(wrong_files_for_tls_are_refused) {
    BOOST_CHECK_THROW(http::tls("/nowhere", "/nowhere"), taskflux::error);
    BOOST_CHECK_THROW(taskflux::gateway(broker, taskflux::gateway_options().redirect_from(0)).listen(), taskflux::error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_answers
