#pragma once

#include <taskflux/http/fasttask/core.hpp>
#include <taskflux/http/fasttask/files.hpp>
#include <taskflux/http/fasttask/params.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/running_id.hpp>
#include <taskflux/http/file_answer.hpp>
#include <taskflux/http/file_type.hpp>
#include <taskflux/http/media_type.hpp>
#include <taskflux/http/on_pool.hpp>
#include <taskflux/http/safe_name.hpp>
#include <taskflux/http/store_upload.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

namespace storing {

inline http::file_store_options options_of(const fasttask_options& from) {
    http::file_store_options made;
    made.max_size(from.max_upload());
    if (from.file_cleanup()) made.remove_after(from.file_expiration());
    return made;
}

inline http::problem refused(const http::refusal& why) {
    http::problem made(why.status(), why.text());
    return made.with("detail", boost::json::value(why.text()));
}

/// The pieces of a request's body.
inline std::function<asio::awaitable<std::string>()> body_of(http::call& in) {
    return [&in] { return in.read_some(); };
}

using stored_ptr = std::shared_ptr<const http::stored_file>;

// What is called on the pool's threads, and owns what it uses.

inline std::function<stored_ptr()> opening_of(std::shared_ptr<const http::file_store> store, std::string name) {
    return [store = std::move(store), name = std::move(name)] {
        auto found = store->open(name);
        return found ? std::make_shared<const http::stored_file>(std::move(*found)) : stored_ptr();
    };
}

inline std::function<std::string()> reading_of(stored_ptr file, std::uint64_t at, std::size_t size) {
    return [file = std::move(file), at, size] {
        std::string bytes(size, '\0');
        bytes.resize(file->read(at, std::span<char>(bytes.data(), bytes.size())));
        return bytes;
    };
}

/// A file on its way to a client.
struct delivery {
    std::shared_ptr<fasttask_files> files;
    stored_ptr file;
    std::vector<http::file_piece> pieces;
};

inline asio::awaitable<void> send(std::shared_ptr<const delivery> what, http::byte_range range, http::body_writer* to) {
    constexpr std::uint64_t most = 256 * 1024;
    for (auto at = range.first; at <= range.last;) {
        auto task = reading_of(what->file, at, static_cast<std::size_t>((std::min)(most, range.last - at + 1)));
        auto reading = http::on_pool(what->files->pool(), std::move(task));
        auto bytes = co_await std::move(reading);
        if (bytes.empty()) throw error(errc::unavailable, "a file has become shorter while it was sent");
        at += bytes.size();
        auto writing = to->write(std::move(bytes));
        co_await std::move(writing);
    }
}

inline asio::awaitable<void> send_all(std::shared_ptr<const delivery> what, http::body_writer& to) {
    for (const auto& piece : what->pieces) {
        auto sending = piece.range ? send(what, *piece.range, &to) : to.write(piece.text);
        co_await std::move(sending);
    }
}

/// A header of a request, several of one name joined by commas; nothing where there is none.
inline std::optional<std::string> joined(const http::headers& fields, std::string_view name) {
    std::optional<std::string> made;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!http::same_word(fields.name(i), name)) continue;
        made = made ? *made + ", " + std::string(fields.value(i)) : std::string(fields.value(i));
    }
    return made;
}

/// The answer with a file, or with what of it is asked for.
inline http::response deliver(std::shared_ptr<fasttask_files> files, stored_ptr file, std::string_view name, const http::headers& fields) {
    const auto if_match = joined(fields, "If-Match"), if_none_match = joined(fields, "If-None-Match");
    const auto since = joined(fields, "If-Modified-Since"), until = joined(fields, "If-Unmodified-Since");
    const auto range = joined(fields, "Range"), if_range = joined(fields, "If-Range");
    http::file_question asked;
    asked.conditions.if_match = if_match;
    asked.conditions.if_none_match = if_none_match;
    asked.conditions.if_modified_since = since;
    asked.conditions.if_unmodified_since = until;
    asked.range = range;
    asked.if_range = if_range;
    name.remove_prefix(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1);
    const http::file_subject subject{name, http::file_type(name), file->size(), file->current()};
    const auto now = std::chrono::floor<std::chrono::seconds>(files->wall());
    auto answer = http::answer_file(asked, subject, random_uuid(), now);
    http::response made(answer.status);
    if (!answer.body.empty()) {
        const auto what = std::make_shared<delivery>();
        what->files = std::move(files);
        what->file = std::move(file);
        what->pieces = std::move(answer.body);
        made = http::response::stream(answer.status, subject.type, [what](http::body_writer& to) { return send_all(what, to); });
    }
    for (const auto& [field, value] : answer.fields) made.header(field, value);
    return made;
}

}  // namespace storing

fasttask_files::fasttask_files(const fasttask_options& options, const broker_ptr& broker, log_sink log)
    : broker_(broker), log_(std::move(log)), store_(std::make_shared<http::file_store>(options.files(), storing::options_of(options))), does_tidy_(options.file_cleanup()),
      pool_(2) {
    tidy();
}

fasttask_files::~fasttask_files() { pool_.join(); }

void fasttask_files::tidy() {
    if (!does_tidy_ || is_tidying_.exchange(true)) return;
    asio::post(pool_, [this] {
        try {
            store_->clean_up(wall());
        } catch (const std::exception& e) {
            log_(log_level::warning, std::string("old files can't be removed: ") + e.what());
        }
        is_tidying_ = false;
    });
}

asio::awaitable<http::response> upload_to_fasttask(fasttask_ptr core, http::call& in) {
    const auto files = core->files();
    files->tidy();
    auto type = http::media_type::parse(in.request().fields["Content-Type"]);
    auto read = storing::body_of(in);
    http::upload_target target(files->store(), files->pool(), random_uuid());
    auto receiving = http::store_upload(std::move(type), std::move(read), std::move(target));
    const auto got = co_await std::move(receiving);
    using outcome = http::upload_end::kind;
    if (got.is() == outcome::stored) co_return fasttask_answer("{\"file_name\": " + python_json_string(got.name()) + "}");
    constexpr unsigned no_form = 415;
    if (got.is() == outcome::refused && got.refused().status() != no_form) throw storing::refused(got.refused());
    param_flaws flaws;
    flaws.push_back(missing(boost::json::array{"body", "file"}, nullptr));
    throw unprocessable(flaws);
}

asio::awaitable<http::response> download_from_fasttask(fasttask_ptr core, http::call& in) {
    const auto files = core->files();
    files->tidy();
    const auto given = in.request().parameter("file_name");
    if (!given) {
        param_flaws flaws;
        flaws.push_back(missing(boost::json::array{"query", "file_name"}, nullptr));
        throw unprocessable(flaws);
    }
    const std::string name(*given);
    if (const auto why = http::refused_file_name(name)) throw storing::refused(*why);
    auto task = storing::opening_of(files->store(), name);
    auto opening = http::on_pool(files->pool(), std::move(task));
    const auto file = co_await std::move(opening);
    if (!file) {
        http::problem none(404, "there is no such file");
        throw none.with("detail", "file not found");
    }
    co_return storing::deliver(files, file, name, in.request().fields);
}

}  // namespace taskflux::detail
