#include <taskflux/broker/redis/url.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <ostream>
#include <string>

BOOST_AUTO_TEST_SUITE(redis_url)

namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;
using taskflux::redis::address;
using taskflux::redis::parse_url;

struct good {
    const char* url;
    const char* printed;
};
std::ostream& operator<<(std::ostream& out, const good& each) {
    return out << each.url;
}

const good good_urls[] = {
    {"redis://localhost", "redis://localhost:6379/0"},
    {"redis://10.0.0.1:7000/3", "redis://10.0.0.1:7000/3"},
    {"redis://localhost/", "redis://localhost:6379/0"},
    {"redis://[::1]", "redis://[::1]:6379/0"},
    {"redis://[::1]:7000", "redis://[::1]:7000/0"},
    {"redis://:s3cret@host", "redis://:***@host:6379/0"},
    {"redis://user:s3cret@host:1/2", "redis://user:***@host:1/2"},
    {"redis://a%40b:s3cret%2F%3F@host", "redis://a%40b:***@host:6379/0"},
    {"redis://host?timeout=250ms", "redis://host:6379/0?timeout=250ms"},
    {"redis://host/1?timeout=2s", "redis://host:6379/1?timeout=2000ms"},
    {"redis://host?db=4", "redis://host:6379/4"},
    {"rediss://host?ca=/etc/my%20ca.pem&cert=c.pem&key=k.pem",
     "rediss://host:6379/0?ca=/etc/my%20ca.pem&cert=c.pem&key=k.pem"},
    {"redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock?db=0"},
    {"unix://:s3cret@/run/a%20b?db=2&timeout=1s", "redis+unix://:***@/run/a%20b?db=2&timeout=1000ms"},
    {"redis+sentinel://a:1,b,[::2]:3/main/7", "redis+sentinel://a:1,b:26379,[::2]:3/main/7"},
    {"redis+sentinel://u:s3cret@a/main", "redis+sentinel://u:***@a:26379/main/0"},
    {"redis+sentinel://a/main?sentinel_password=s3cret&timeout=1s",
     "redis+sentinel://a:26379/main/0?timeout=1000ms&sentinel_password=***"},
    {"redis+sentinel://:s3cret@a/main?sentinel_user=w%26&sentinel_password=s3cret%26",
     "redis+sentinel://:***@a:26379/main/0?sentinel_user=w%26&sentinel_password=***"},
    {"rediss+sentinel://a,b/main?ca=c.pem", "rediss+sentinel://a:26379,b:26379/main/0?ca=c.pem"},
    {"redis://host?durable=2", "redis://host:6379/0?durable=2"},
    {"redis://host?durable=0", "redis://host:6379/0?durable=0"},
    {"redis://host?durable=100", "redis://host:6379/0?durable=100"},
    {"redis://host:65535?timeout=1ms", "redis://host:65535/0?timeout=1ms"},
    {"redis://host:1?timeout=3600s", "redis://host:1/0?timeout=3600000ms"},
};

struct bad {
    const char* url;
    const char* says;
};
std::ostream& operator<<(std::ostream& out, const bad& each) {
    return out << each.url;
}

// Where there is an '@' the password is s3cret.
const bad bad_urls[] = {
    {"", "no scheme"},
    {"localhost:6379", "no scheme"},
    {"http://host", "scheme is not known"},
    {"s3cret://:a@host", "is not known: use redis, rediss"},
    {"redis://", "host is missing"},
    {"redis://:6379", "host is missing"},
    {"redis://:s3cret@", "host is missing"},
    {"redis://host:", "port is not a number"},
    {"redis://host:0", "port is not a number from 1 to 65535"},
    {"redis://host:65536", "port is not"},
    {"redis://host:6379x", "port is not"},
    {"redis://user:s3cret/4@host", "%2F"},
    {"redis://user@host", "a user needs a password"},
    {"redis://::1", "[::1]:6379"},
    {"redis://[::1", "']'"},
    {"redis://[::1]6379", "comes ':' and a port"},
    {"redis://host/x", "database is not a number from 0 on"},
    {"redis://host/-1", "database is not"},
    {"redis://:x@s3cret@host/s3cret", "the database is not a number"},
    {"redis://host/1/2", "database is not"},
    {"redis://:s3cret%2@host", "two hexadecimal digits"},
    {"redis://:s3cret%zz@host", "two hexadecimal digits"},
    {"redis://:s3cret%2g@host", "two hexadecimal digits"},
    {"redis://:s3cret%g2@host", "two hexadecimal digits"},
    {"redis://:s3cret%00@host", "%00"},
    {"redis://:s3cret#1@host", "%23"},
    {"redis://host:1?s3cret@other", "option is not known"},
    {"redis://host?tiemout=1s", "option is not known: there are timeout, db, durable, prefix, ca, cert"},
    {"redis://host?timeout=5", "timeout is not a time"},
    {"redis://host?timeout=0ms", "timeout=500ms or timeout=5s"},
    {"redis://host?timeout=s", "is not a time"},
    {"redis://host?timeout=9999999999999999999s", "is not a time"},
    {"redis://host?timeout=3601s", "is not a time"},
    {"redis://host?timeout=3600001ms", "is not a time"},
    {"redis://host?ca=a.pem", "rediss://"},
    {"rediss://host?ca=", "name a file"},
    {"rediss://host?cert=a.pem", "cert and key go together"},
    {"rediss://host?key=a.pem", "cert and key go together"},
    {"rediss://host?cafile=a.pem", "option is not known"},
    {"redis+unix://run/redis.sock", "three slashes"},
    {"redis+unix:///", "three slashes"},
    {"redis+sentinel://a,b", "master's name is missing"},
    {"redis+sentinel://a,,b/main", "host is missing"},
    {"redis://host?durable=-1", "durable is not a number of replicas"},
    {"redis://host?durable=101", "durable=1"},
    {"redis+sentinel://a/main?ca=x.pem", "rediss+sentinel://"},
    {"redis+sentinel://a/main?sentinel_user=u", "sentinel_user needs a password: add sentinel_password="},
    {"redis://host?sentinel_password=s3cret", "are for redis+sentinel://"},
    {"redis+sentinel://a/main?sentinel_password=x&s3cret", "option is not known"},
    {"redis+sentinel://a/main?sentinel_password=s3cret%2", "two hexadecimal digits"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_url_is_read_and_printed_in_its_usual_form_without_the_password, data::make(good_urls),
                     each) {
    const auto url = parse_url(each.url);
    BOOST_TEST(to_string(url) == each.printed);
    BOOST_TEST((url.password.empty() || url.password.starts_with("s3cret")));
    // What is printed is a URL again, but for the password.
    auto again = parse_url(to_string(url));
    again.password = url.password;
    again.sentinel_password = url.sentinel_password;
    BOOST_TEST((again == url));
}

BOOST_AUTO_TEST_CASE(each_part_ends_up_in_its_place) {
    const auto url = parse_url("rediss://a%40b:c%3a%2f@host:7000/3?timeout=250ms&ca=x&cert=y&key=z");
    BOOST_TEST(url.user == "a@b");
    BOOST_TEST(url.password == "c:/");
    BOOST_TEST((url.addresses == std::vector{address{"host", 7000}}));
    BOOST_TEST(url.database == 3);
    BOOST_TEST(url.tls);
    BOOST_TEST(url.ca + url.cert + url.key == "xyz");
    BOOST_TEST((url.timeout == 250ms));
    BOOST_TEST((url.unix_socket + url.master).empty());
}

BOOST_AUTO_TEST_CASE(a_prefix_is_a_short_word) {
    BOOST_TEST(parse_url("redis://a").prefix == "tf");
    const auto url = parse_url("redis://a?prefix=shop-1.x_Y");
    BOOST_TEST(url.prefix == "shop-1.x_Y");
    BOOST_TEST((parse_url(to_string(url)) == url));
    for (const auto& bad : std::vector<std::string>{"", "a:b", "a{b", "a%7bb", "ä", "a*", std::string(65, 'a')}) {
        BOOST_CHECK_THROW(parse_url("redis://a?prefix=" + bad), taskflux::error);
    }
}

BOOST_AUTO_TEST_CASE(sentinels_and_sockets_end_up_in_their_place) {
    const auto sentinels = parse_url("redis+sentinel://a:1,b/main/7");
    BOOST_TEST((sentinels.addresses == std::vector{address{"a", 1}, address{"b", 26379}}));
    BOOST_TEST(sentinels.master == "main");
    BOOST_TEST(sentinels.database == 7);
    const auto with_passwords = parse_url("rediss+sentinel://u:p@a/main?sentinel_user=v&sentinel_password=q%26");
    BOOST_TEST(with_passwords.user + with_passwords.password == "up");
    BOOST_TEST(with_passwords.sentinel_user + with_passwords.sentinel_password == "vq&");
    BOOST_TEST(with_passwords.tls);
    const auto socket = parse_url("unix://:pw@/run/a%20b?db=2");
    BOOST_TEST(socket.unix_socket == "/run/a b");
    BOOST_TEST(socket.password == "pw");
    BOOST_TEST(socket.database == 2);
    BOOST_TEST(socket.addresses.empty());
}

BOOST_DATA_TEST_CASE(a_mistake_is_named_with_what_would_be_right_but_never_with_the_password,
                     data::make(bad_urls), each) {
    try {
        parse_url(each.url);
        BOOST_ERROR("accepted");
    } catch (const taskflux::error& e) {
        BOOST_TEST((e.code() == taskflux::errc::invalid_argument));
        const std::string what = e.what();
        BOOST_TEST(what.find(each.says) != std::string::npos, what);
        BOOST_TEST(what.find("s3cret") == std::string::npos, what);
    }
}

BOOST_AUTO_TEST_SUITE_END()
