#pragma once

#include <taskflux/http/multipart.hpp>
#include <taskflux/http/on_pool.hpp>
#include <taskflux/http/safe_name.hpp>
#include <taskflux/http/store_upload.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::http {

namespace stored {

// What runs on the pool owns what it uses: the coroutine that waits for it may be destroyed before it ends.

class begin_file {
public:
    begin_file(std::shared_ptr<const file_store> files, std::string name) : files_(std::move(files)), name_(std::move(name)) {}
    std::shared_ptr<file_upload> operator()() const { return std::make_shared<file_upload>(files_->create(name_)); }

private:
    std::shared_ptr<const file_store> files_;
    std::string name_;
};

class write_piece {
public:
    write_piece(std::shared_ptr<file_upload> file, std::string bytes) : file_(std::move(file)), bytes_(std::move(bytes)) {}
    void operator()() const { file_->write(bytes_); }

private:
    std::shared_ptr<file_upload> file_;
    std::string bytes_;
};

class end_file {
public:
    end_file(std::shared_ptr<file_upload> file, std::string rest) : write_(file, std::move(rest)), file_(std::move(file)) {}
    void operator()() const {
        write_();
        file_->commit();
    }

private:
    write_piece write_;
    std::shared_ptr<file_upload> file_;
};

}  // namespace stored

asio::awaitable<upload_end> store_upload(std::optional<media_type> type, std::function<asio::awaitable<std::string>()> read,
                                         upload_target target) {
    constexpr std::size_t piece_size = 128 * 1024;
    const auto boundary = multipart_boundary::of(type);
    if (boundary.refused()) co_return upload_end(*boundary.refused());
    multipart_reader form(boundary.text());
    std::shared_ptr<file_upload> file;
    std::string pending;
    bool is_ours = false;  // the part that is being read
    for (bool has_ended = false; !has_ended;) {
        auto reading = read();
        const std::string piece = co_await std::move(reading);
        has_ended = piece.empty();
        if (has_ended) {
            form.finish();
        } else {
            form.put(piece);
        }
        for (bool has_more = true; has_more;) {
            switch (form.next()) {
                case multipart_event::part: {
                    is_ours = form.part().name == target.field();
                    if (!is_ours) break;
                    if (file) co_return upload_end(refusal(400, "the form has several files; send one with each request"));
                    const auto given = form.part().file_name.value_or("");
                    if (auto refused = refused_upload_name(given)) co_return upload_end(std::move(*refused));
                    stored::begin_file begin(target.files(), upload_name(target.id(), given));
                    auto begun = on_pool(target.pool(), std::move(begin));
                    file = co_await std::move(begun);
                    break;
                }
                case multipart_event::bytes: {
                    if (!is_ours) break;
                    pending += form.bytes();
                    if (pending.size() < piece_size) break;
                    stored::write_piece write(file, std::exchange(pending, {}));
                    auto written = on_pool(target.pool(), std::move(write));
                    co_await std::move(written);
                    break;
                }
                case multipart_event::more: has_more = false; break;
                case multipart_event::end: is_ours = false; break;
                case multipart_event::failed: co_return upload_end(form.failure());
            }
        }
    }
    if (!file) co_return upload_end();
    stored::end_file end(file, std::move(pending));
    auto ended = on_pool(target.pool(), std::move(end));
    co_await std::move(ended);
    co_return upload_end(file->name(), file->size());
}

}  // namespace taskflux::http
