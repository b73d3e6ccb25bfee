#pragma once

#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace taskflux::detail {

/// Journals how many items of a map without results have ended, so that the journal need not hold its subtasks.
class map_mark {
public:
    map_mark(notebook& book, std::string name) : book_(book), name_(std::move(name)) {}

    /// How many items, from the first one on, have ended.
    asio::awaitable<std::size_t> read() {
        if (!book_.may_have_entries()) co_return 0;
        const auto known = co_await book_.find(key());
        if (known) written_ = number_in(*known);
        co_return written_;
    }

    /// To be called when the first `done` items have ended; writes every 128 items, or when `at_once`.
    asio::awaitable<void> move(std::size_t done, bool at_once) {
        constexpr std::size_t stride = 128;  // items that one call writes
        if (done == written_ || (!at_once && done < written_ + stride)) co_return;
        auto write = book_.new_write();
        write.items.push_back(notebook::item_of(key(), std::to_string(done), journal_write::mode::set));
        for (; written_ < done; ++written_) {
            write.items.push_back(notebook::item_of(child_key(name_ + '.' + std::to_string(written_)), "",
                                                    journal_write::mode::drop));
        }
        co_await book_.write(std::move(write));
    }

private:
    std::string key() const { return trace_of(call_kind::map).key(name_); }

    notebook& book_;
    const std::string name_;
    std::size_t written_ = 0;
};

}  // namespace taskflux::detail
