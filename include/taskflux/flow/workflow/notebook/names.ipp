#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The names of a handler's calls.
namespace taskflux::detail {

std::string notebook::next_name() {
    note_stop();
    const std::lock_guard lock(mutex_);
    do ++position_;
    while (left_out_.contains(position_));
    return std::to_string(position_);
}

void notebook::leave_out(const std::vector<unsigned>& numbers, name_list* to) {
    const std::lock_guard lock(mutex_);
    left_out_.insert(numbers.begin(), numbers.end());
    for (; to; to = to->outer.get()) to->numbers.insert(to->numbers.end(), numbers.begin(), numbers.end());
}

void notebook::note_names(const void* chain, std::shared_ptr<name_list> to) {
    const std::lock_guard lock(mutex_);
    if (to) noted_[chain] = std::move(to);
    else noted_.erase(chain);
    noting_ = static_cast<int>(noted_.size());
}

asio::awaitable<std::shared_ptr<name_list>> notebook::names_here() {
    const auto* const where = co_await own_chain();
    const std::lock_guard lock(mutex_);
    const auto found = noted_.find(where);
    co_return found == noted_.end() ? nullptr : found->second;
}

asio::awaitable<void> notebook::note_name(const std::string& name) {
    const auto here = co_await names_here();
    const std::lock_guard lock(mutex_);
    for (auto* list = here.get(); list; list = list->outer.get()) list->numbers.push_back(number_in<unsigned>(name));
}

void notebook::enter_step(const void* chain) {
    const std::lock_guard lock(mutex_);
    stepping_.insert(chain);
    steps_ = static_cast<int>(stepping_.size());
}

void notebook::leave_step(const void* chain) {
    const std::lock_guard lock(mutex_);
    stepping_.erase(stepping_.find(chain));
    steps_ = static_cast<int>(stepping_.size());
}

std::size_t notebook::next_signal(const std::string& name) {
    detail::check_name(limits::call, name);
    const std::lock_guard lock(mutex_);
    auto& taken = signals_[name];
    std::size_t number = 1;
    for (const auto one : taken) {
        if (one != number) break;
        ++number;
    }
    taken.insert(number);
    return number;
}

void notebook::return_signal(const std::string& name, std::size_t number) {
    const std::lock_guard lock(mutex_);
    signals_[name].erase(number);
}

void notebook::check_name(const char* what, const std::string& name) {
    if (!name.empty() && name.front() != '~' && name.size() <= limits::call.most && is_utf8(name)) return;
    throw error(errc::invalid_argument, std::string("a ") + what + " can't be named " + in_quotes(name) +
                                            ": use 1 to 200 bytes of UTF-8 that do not begin with '~'");
}

void notebook::claim(const char* what, const std::string& name) {
    note_stop();
    check_name(what, name);
    const std::lock_guard lock(mutex_);
    if (used_.insert(what + (' ' + name)).second) return;
    throw error(errc::invalid_argument, std::string("a second ") + what + " can't be named \"" + name +
                                            "\": give each of a task a name of its own");
}

bool notebook::is_made(std::string_view key) const {
    const bool is_subtask = key.starts_with(journal_letter::subtask);
    if (!is_subtask && !key.starts_with(journal_letter::step)) return true;  // a signal: nobody has asked for it
    auto name = key.substr(1);
    bool is_step = !is_subtask;
    if (name.starts_with('~')) {
        const auto slash = name.find('/');
        const bool is_of_call = !is_subtask && slash != std::string_view::npos && !name.starts_with("~version/");
        if (!is_of_call) return true;  // from outside, a continuation, a version
        name.remove_prefix(slash + 1);
        is_step = name.starts_with(step_contest);  // one that has lost
        if (is_step) name.remove_prefix(step_contest.size());
    }
    const bool has_name = is_step || name.find_first_not_of("0123456789.") != std::string_view::npos;
    const std::lock_guard lock(mutex_);
    if (has_name) return used_.contains((is_step ? "step " : "call ") + std::string(name));
    const auto number = number_in<unsigned>(name);
    return number <= position_ || left_out_.contains(number);
}

asio::awaitable<bool> notebook::is_behind() {
    journal_query query;
    do {
        auto page = co_await read(query);
        for (const auto& entry : page.entries) {
            if (!is_made(entry.key)) co_return true;
        }
        query.cursor = std::move(page.cursor);
    } while (!query.cursor.empty());
    co_return false;
}

}  // namespace taskflux::detail
