#pragma once

#include <taskflux/http/conditional.hpp>
#include <taskflux/http/content_disposition.hpp>
#include <taskflux/http/date.hpp>
#include <taskflux/http/fasttask/core.hpp>
#include <taskflux/http/fasttask/files.hpp>
#include <taskflux/http/fasttask/params.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/running_id.hpp>
#include <taskflux/http/file_type.hpp>
#include <taskflux/http/media_type.hpp>
#include <taskflux/http/multipart.hpp>
#include <taskflux/http/on_pool.hpp>
#include <taskflux/http/range.hpp>
#include <taskflux/http/safe_name.hpp>

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

/// A file that is being received. Shared with the pool's threads, which may outlive the request.
using upload_ptr = std::shared_ptr<http::file_upload>;

/// What has come of a form.
struct reception {
    upload_ptr file;
    std::string held;       // of the file, not yet written
    bool is_file = false;   // the part under way is it
};

inline constexpr std::size_t piece = 256 * 1024;

// What is called on the pool's threads: functions with a name, as GCC gives lambdas of a coroutine no linkage.

inline std::function<void()> writing_of(upload_ptr file, std::string bytes) {
    return [file = std::move(file), bytes = std::move(bytes)] { file->write(bytes); };
}

inline std::function<upload_ptr()> creation_of(std::shared_ptr<http::file_store> store, std::string name) {
    return [store = std::move(store), name = std::move(name)] { return std::make_shared<http::file_upload>(store->create(name)); };
}

inline std::function<void()> commitment_of(upload_ptr file) {
    return [file = std::move(file)] { file->commit(); };
}

using stored_ptr = std::shared_ptr<const http::stored_file>;

inline std::function<stored_ptr()> opening_of(std::shared_ptr<http::file_store> store, std::string name) {
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

inline asio::awaitable<void> write(std::shared_ptr<fasttask_files> files, reception* to) {
    auto task = writing_of(to->file, std::exchange(to->held, std::string()));
    auto writing = http::on_pool(files->pool(), std::move(task));
    co_await std::move(writing);
}

/// The part that has begun. The first one named `file` is it.
inline asio::awaitable<void> begin_part(std::shared_ptr<fasttask_files> files, const http::multipart_part* part, reception* to) {
    to->is_file = !to->file && part->name == "file";
    if (!to->is_file) co_return;
    if (!part->file_name) {
        param_flaws flaws;
        flaws.emplace_back("value_error", boost::json::array{"body", "file"}, "Value error, Expected UploadFile: the part has no filename",
                           nullptr);
        throw unprocessable(flaws);
    }
    if (const auto why = http::refused_upload_name(*part->file_name)) throw refused(*why);
    auto task = creation_of(files->store(), http::upload_name(random_uuid(), *part->file_name));
    auto creating = http::on_pool(files->pool(), std::move(task));
    to->file = co_await std::move(creating);
}

/// Takes what a form's reader has. True: it needs more of the body.
inline asio::awaitable<bool> receive(std::shared_ptr<fasttask_files> files, http::multipart_reader* from, reception* to) {
    using http::multipart_event;
    for (;;) {
        switch (from->next()) {
            case multipart_event::part: {
                if (to->is_file) {
                    auto writing = write(files, to);
                    co_await std::move(writing);
                }
                auto beginning = begin_part(files, &from->part(), to);
                co_await std::move(beginning);
                break;
            }
            case multipart_event::bytes:
                if (!to->is_file) break;
                to->held += from->bytes();
                if (to->held.size() >= piece) {
                    auto writing = write(files, to);
                    co_await std::move(writing);
                }
                break;
            case multipart_event::more: co_return true;
            case multipart_event::end:
                if (to->is_file) {
                    auto writing = write(files, to);
                    co_await std::move(writing);
                }
                co_return false;
            case multipart_event::failed: throw refused(from->failure());
        }
    }
}

/// Writes bytes of a file to a client.
inline asio::awaitable<void> send(std::shared_ptr<fasttask_files> files, stored_ptr file, http::byte_range range, http::body_writer* to) {
    for (auto at = range.first; at <= range.last;) {
        const auto size = static_cast<std::size_t>((std::min)(std::uint64_t(piece), range.last - at + 1));
        auto task = reading_of(file, at, size);
        auto reading = http::on_pool(files->pool(), std::move(task));
        auto bytes = co_await std::move(reading);
        if (bytes.empty()) throw error(errc::unavailable, "a file has become shorter while it was sent");
        at += bytes.size();
        auto writing = to->write(std::move(bytes));
        co_await std::move(writing);
    }
}

/// What a download answers with: ranges of a file, each with what stands before it.
struct delivery_plan {
    std::shared_ptr<fasttask_files> files;
    stored_ptr file;
    std::vector<http::byte_range> ranges;
    std::vector<std::string> heads;  // empty: one range as it is
    std::string end;
};

inline asio::awaitable<void> send_all(std::shared_ptr<const delivery_plan> plan, http::body_writer& to) {
    for (std::size_t i = 0; i < plan->ranges.size(); ++i) {
        if (!plan->heads.empty()) {
            auto heading = to.write(plan->heads[i]);
            co_await std::move(heading);
        }
        auto sending = send(plan->files, plan->file, plan->ranges[i], &to);
        co_await std::move(sending);
    }
    auto ending = to.write(plan->end);
    co_await std::move(ending);
}

inline http::conditional_fields conditions_of(const http::request& asked) {
    http::conditional_fields made;
    made.if_match = asked.fields.find("If-Match");
    made.if_none_match = asked.fields.find("If-None-Match");
    made.if_modified_since = asked.fields.find("If-Modified-Since");
    made.if_unmodified_since = asked.fields.find("If-Unmodified-Since");
    return made;
}

inline http::response with_validators(http::response made, const http::stored_file& file) {
    made.header("ETag", file.tag().text());
    made.header("Last-Modified", http::date_text(file.modified()));
    made.header("Accept-Ranges", "bytes");
    return made;
}

/// The answer with a file, or with what of it is asked for.
inline http::response deliver(std::shared_ptr<fasttask_files> files, stored_ptr file, const std::string& name, const http::request& asked) {
    using std::chrono::floor;
    const auto now = floor<std::chrono::seconds>(files->wall());
    const auto current = file->current();
    switch (http::evaluate(conditions_of(asked), true, current, now)) {
        case http::condition::holds: break;
        case http::condition::not_modified: return with_validators(http::response(304), *file);
        case http::condition::fails: return with_validators(http::response(412), *file);
    }
    const auto size = file->size();
    const auto if_range = asked.fields.find("If-Range");
    const auto range = asked.fields.find("Range");
    const bool does_count = range && (!if_range || http::if_range_holds(*if_range, current, now));
    const auto choice = does_count ? http::choose_ranges(*range, size) : http::range_choice(http::range_choice::kind::whole);
    if (choice.is() == http::range_choice::kind::unsatisfiable) {
        auto none = with_validators(http::response(416), *file);
        none.header("Content-Range", http::unsatisfied_range(size));
        return none;
    }
    const auto plan = std::make_shared<delivery_plan>();
    plan->files = std::move(files);
    plan->file = file;
    plan->ranges = choice.ranges();
    std::string type(http::file_type(name));
    const bool is_partial = choice.is() == http::range_choice::kind::partial;
    if (!is_partial && size > 0) plan->ranges.push_back({0, size - 1});
    const bool is_split = is_partial && plan->ranges.size() > 1;
    if (is_split) {
        const auto boundary = random_uuid();
        for (const auto& one : plan->ranges) plan->heads.push_back(http::range_head(boundary, type, one, size));
        plan->end = http::range_end(boundary);
        type = "multipart/byteranges; boundary=" + boundary;
    }
    auto made = http::response::stream(is_partial ? 206 : 200, type, [plan](http::body_writer& to) { return send_all(plan, to); });
    if (is_partial && !is_split) made.header("Content-Range", http::content_range(plan->ranges.front(), size));
    const auto slash = name.rfind('/');
    made.header("Content-Disposition", http::attachment(slash == std::string::npos ? name : name.substr(slash + 1)));
    made.header("X-Content-Type-Options", "nosniff");
    return with_validators(std::move(made), *file);
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
    const auto type = http::media_type::parse(in.request().fields["Content-Type"]);
    const auto boundary = http::multipart_boundary::of(type);
    const boost::json::array place{"body", "file"};
    param_flaws flaws;
    if (boundary.refused() && boundary.refused()->status() == 415) {
        flaws.push_back(missing(place, nullptr));
        throw unprocessable(flaws);
    }
    if (boundary.refused()) throw storing::refused(*boundary.refused());
    http::multipart_reader reader(boundary.text());
    storing::reception got;
    for (bool is_more = true; is_more;) {
        auto reading = in.read_some();
        const auto bytes = co_await std::move(reading);
        if (bytes.empty()) reader.finish();
        else reader.put(bytes);
        auto receiving = storing::receive(files, &reader, &got);
        is_more = co_await std::move(receiving);
    }
    if (!got.file) {
        flaws.push_back(missing(place, nullptr));
        throw unprocessable(flaws);
    }
    auto task = storing::commitment_of(got.file);
    auto committing = http::on_pool(files->pool(), std::move(task));
    co_await std::move(committing);
    co_return fasttask_answer("{\"file_name\": " + python_json_string(got.file->name()) + "}");
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
    co_return storing::deliver(files, file, name, in.request());
}

}  // namespace taskflux::detail
