#pragma once

#include <taskflux/core/codec/output.hpp>
#include <taskflux/core/codec/timestamp.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/secrets/json_file.hpp>
#include <taskflux/http/secrets/watched.hpp>
#include <taskflux/http/tokens.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

namespace secrets {

struct stored_token {
    tokens::bearer whose;
    time_point expires = never;
};

inline constexpr std::string_view token_prefix =
    "tfx_";  // tells what it is, for who finds one, and for programs that look for leaks

class token_table {
public:
    explicit token_table(std::string_view text) {
        for (const auto& [key, value] : read_object(text, "tokens file")) {
            const std::string name(key);
            auto [digest, token] = read(name, value);
            if (!tokens_.emplace(std::move(digest), std::move(token)).second) {
                throw error(errc::invalid_argument, "the tokens file is not valid: token " + taskflux::detail::in_quotes(name) +
                                                        " has the hash of another one");
            }
        }
    }

    /// By its hash. A search that ends early tells of a hash, and nothing of the token.
    const stored_token* find(std::string_view digest) const {
        const auto found = tokens_.find(digest);
        return found == tokens_.end() ? nullptr : &found->second;
    }

private:
    static std::pair<std::string, stored_token> read(const std::string& name, const boost::json::value& value) {
        const auto shown = taskflux::detail::in_quotes(name);
        const auto refuse = [&](const std::string& why) {
            return error(errc::invalid_argument, "the tokens file is not valid: token " + shown + " " + why);
        };
        const auto flaw = flaw_of_name(name);
        if (!flaw.empty()) throw refuse("has a name that " + flaw);
        const auto* const members = value.if_object();
        if (!members) throw refuse("is no object; use {\"sha256\": ..., \"permission\": ..., \"expires\": ...}");
        stored_token made;
        std::optional<std::string> digest;
        for (const auto& [key, member] : *members) {
            if (key == "sha256") {
                digest = member.is_string() ? from_base64url(member.get_string()) : std::nullopt;
            } else if (key == "expires") {
                const auto when = member.is_string() ? taskflux::detail::parse_timestamp(member.get_string()) : std::nullopt;
                const auto point = when ? taskflux::detail::from_instant<duration>(*when) : std::nullopt;
                if (!point) throw refuse("has an \"expires\" that is no time as in \"2027-01-01T00:00:00Z\"");
                made.expires = *point;
            } else if (key != "permission") {
                throw refuse("has a member " + taskflux::detail::in_quotes(key) +
                             "; there are \"sha256\", \"permission\" and \"expires\"");
            }
        }
        if (!digest || digest->size() != digest_size) throw refuse("has no \"sha256\" of 32 bytes in base64url; make it anew");
        const auto may = permission_in(*members, "of token " + shown);
        if (!may) throw refuse("has no \"permission\"");
        made.whose = {name, *may};
        return {std::move(*digest), std::move(made)};
    }

    std::map<std::string, stored_token, std::less<>> tokens_;
};

class token_book {
public:
    token_book(std::string file, time_point now, duration look_every, log_sink log)
        : file_(
              "tokens file", std::move(file), [](std::string_view text) { return token_table(text); }, look_every, std::move(log),
              now) {}

    std::optional<tokens::bearer> verify(std::string_view token, time_point now) {
        const auto table = file_.at(now);
        const auto* const found = table->find(sha256(token));
        if (!found || now >= found->expires) return std::nullopt;
        return found->whose;
    }

private:
    watched<token_table> file_;
};

}  // namespace secrets

tokens::tokens(std::string file, time_point now, duration look_every, log_sink log)
    : book_(std::make_unique<secrets::token_book>(std::move(file), now, look_every, std::move(log))) {}
tokens::~tokens() = default;

std::optional<tokens::bearer> tokens::verify(std::string_view token, time_point now) {
    return book_->verify(token, now);
}

std::string add_token(const std::string& file, std::string_view name, permission may, std::optional<time_point> expires) {
    constexpr std::size_t size = 32;
    secrets::check_name(name);
    auto members = secrets::read_object(secrets::text_of_file(file), "tokens file");
    auto token = std::string(secrets::token_prefix) + secrets::to_base64url(secrets::random_bytes(size));
    boost::json::object made;
    made["sha256"] = secrets::to_base64url(secrets::sha256(token));
    made["permission"] = secrets::text_of(may);
    if (expires) {
        std::string text;
        taskflux::detail::output out(text);
        if (!taskflux::detail::append_timestamp(out, taskflux::detail::to_instant(*expires))) {
            throw error(errc::invalid_argument,
                        "a token can't expire after the year 9999; leave the time out for one that does not expire");
        }
        out.finish();
        made["expires"] = text;
    }
    members[name] = std::move(made);
    secrets::replace_file(file, secrets::write_object(members));
    return token;
}

bool remove_token(const std::string& file, std::string_view name) {
    auto members = secrets::read_object(secrets::text_of_file(file), "tokens file");
    if (members.erase(name) == 0) return false;
    secrets::replace_file(file, secrets::write_object(members));
    return true;
}

}  // namespace taskflux::http
