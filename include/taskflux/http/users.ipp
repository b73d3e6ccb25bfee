#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/secrets/digest.hpp>
#include <taskflux/http/secrets/json_file.hpp>
#include <taskflux/http/secrets/login_memory.hpp>
#include <taskflux/http/secrets/watched.hpp>
#include <taskflux/http/users.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::http {

namespace secrets {

/// A user of the file.
struct stored_user {
    std::optional<password_hash> hash;
    std::string plain;  // without a hash: the keyed hash of the password
    permission may = permission::submit;
    std::string stamp;
};

/// What a users file says. `secret`: keys the hashes of plain passwords, which are not kept.
class user_table {
public:
    user_table(std::string_view text, const std::string& secret, permission otherwise) {
        scrypt_cost dearest;
        bool has_hash = false;
        for (const auto& [key, value] : read_object(text, "users file")) {
            const std::string name(key);
            auto user = read(name, value, secret, otherwise);
            has_plain_ = has_plain_ || !user.hash;
            if (user.hash && (!has_hash || user.hash->cost().work() > dearest.work())) dearest = user.hash->cost();
            has_hash = has_hash || user.hash.has_value();
            users_.emplace(name, std::move(user));
        }
        if (has_hash) decoy_ = password_hash::decoy(dearest);
    }

    /// Null: there is none.
    const stored_user* find(std::string_view name) const {
        const auto found = users_.find(name);
        return found == users_.end() ? nullptr : &found->second;
    }

    /// What is checked where there is nothing to check; nothing: no user has a hash.
    const std::optional<password_hash>& decoy() const { return decoy_; }

    bool has_plain() const { return has_plain_; }

private:
    static stored_user read(const std::string& name, const boost::json::value& value, const std::string& secret,
                            permission otherwise) {
        const auto shown = taskflux::detail::in_quotes(name);
        const auto refuse = [&](const std::string& why) {
            return error(errc::invalid_argument, "the users file is not valid: user " + shown + " " + why);
        };
        const auto flaw = flaw_of_name(name);
        if (!flaw.empty()) throw refuse("has a name that " + flaw);
        stored_user made;
        made.may = otherwise;
        const auto* password = &value;
        if (const auto* const members = value.if_object()) {
            for (const auto& [key, ignored] : *members) {
                if (key != "password" && key != "permission") {
                    throw refuse("has a member " + taskflux::detail::in_quotes(key) +
                                 "; there are \"password\" and \"permission\"");
                }
            }
            password = members->if_contains("password");
            made.may = permission_in(*members, "of user " + shown).value_or(otherwise);
        }
        if (!password || !password->is_string() || password->get_string().empty()) {
            throw refuse("has no password; use \"password\", or {\"password\": ..., \"permission\": ...}, and no empty one");
        }
        const std::string_view text = password->get_string();
        if (text.starts_with("scrypt$") || text.starts_with("$scrypt$")) {
            made.hash = password_hash::parse(text);
            if (!made.hash)
                throw refuse("has a hash that can't be read, or that takes more than 256 MiB or 1 GiB of work; make it anew");
        } else {
            made.plain = hmac_sha256(secret, text);
        }
        made.stamp = hmac_sha256("taskflux stamp of a password", text);
        return made;
    }

    std::map<std::string, stored_user, std::less<>> users_;
    std::optional<password_hash> decoy_;
    bool has_plain_ = false;
};

class user_book {
public:
    user_book(std::string file, time_point now, const users_options& options, log_sink log)
        : secret_(random_bytes(digest_size)),
          log_(std::move(log)),
          memory_(options.remember_for(), options.remember_most()),
          file_(
              "users file", std::move(file),
              [this, otherwise = options.default_permission()](std::string_view text) {
                  return user_table(text, secret_, otherwise);
              },
              options.look_every(), log_, now) {
        current(now);
    }

    std::optional<permission> remembered(std::string_view name, std::string_view password, time_point now) {
        const auto table = current(now);
        const auto* const user = table->find(name);
        const auto key = memory_.key(name, password);
        const std::lock_guard lock(mutex_);
        return user && memory_of_ == table && memory_.has(key, now) ? std::optional(user->may) : std::nullopt;
    }

    std::optional<permission> verify(std::string_view name, std::string_view password, time_point now) {
        const auto table = current(now);
        const auto* const user = table->find(name);
        // The same work whether there is such a user, and of which kind.
        const auto& hash = user && user->hash ? user->hash : table->decoy();
        const bool is_hash_right = hash && hash->is(password);
        static const std::string nothing(digest_size, '\0');
        const bool is_plain_right = same(hmac_sha256(secret_, password), user && !user->hash ? user->plain : nothing);
        if (!user || !(user->hash ? is_hash_right : is_plain_right)) return std::nullopt;
        const auto key = memory_.key(name, password);
        const std::lock_guard lock(mutex_);
        // Not where the file has changed meanwhile.
        if (memory_of_ == table) memory_.add(key, now);
        return user->may;
    }

    std::optional<users::known_user> find(std::string_view name, time_point now) {
        const auto table = current(now);
        const auto* const user = table->find(name);
        if (!user) return std::nullopt;
        return users::known_user{user->may, user->stamp};
    }

private:
    std::shared_ptr<const user_table> current(time_point now) {
        auto table = file_.at(now);
        bool warns = false;
        {
            const std::lock_guard lock(mutex_);
            if (memory_of_ != table) {
                memory_of_ = table;
                memory_.clear();
                warns = table->has_plain() && !std::exchange(has_warned_, true);
            }
        }
        if (warns)
            log_(log_level::warning,
                 "the users file has plain passwords: who reads it can log in; add users with gateway add-user, which stores "
                 "hashes");
        return table;
    }

    const std::string secret_;
    const log_sink log_;
    std::mutex mutex_;
    login_memory memory_;
    std::shared_ptr<const user_table> memory_of_;  // whose logins are remembered
    bool has_warned_ = false;
    watched<user_table> file_;
};

}  // namespace secrets

users::users(std::string file, time_point now, users_options options, log_sink log)
    : book_(std::make_unique<secrets::user_book>(std::move(file), now, options, std::move(log))) {}
users::~users() = default;

std::optional<permission> users::remembered(std::string_view name, std::string_view password, time_point now) {
    return book_->remembered(name, password, now);
}

std::optional<permission> users::verify(std::string_view name, std::string_view password, time_point now) {
    return book_->verify(name, password, now);
}

std::optional<users::known_user> users::find(std::string_view name, time_point now) {
    return book_->find(name, now);
}

void add_user(const std::string& file, std::string_view name, std::string_view password, permission may,
              const secrets::scrypt_cost& cost) {
    constexpr std::size_t shortest = 8;
    secrets::check_name(name);
    if (password.size() < shortest) throw error(errc::invalid_argument, "the password has fewer than 8 bytes; use a longer one");
    auto members = secrets::read_object(secrets::text_of_file(file), "users file");
    boost::json::object user;
    user["password"] = secrets::password_hash::make(password, cost).text();
    user["permission"] = secrets::text_of(may);
    members[name] = std::move(user);
    secrets::replace_file(file, secrets::write_object(members));
}

bool remove_user(const std::string& file, std::string_view name) {
    auto members = secrets::read_object(secrets::text_of_file(file), "users file");
    if (members.erase(name) == 0) return false;
    secrets::replace_file(file, secrets::write_object(members));
    return true;
}

}  // namespace taskflux::http
