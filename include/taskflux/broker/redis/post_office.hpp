#pragma once

#include <taskflux/broker/exchange.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/connection.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Mailboxes of this process, and its way to those of others: a mailbox is a name behind the channel of its process. What
/// is sent to one process while a message to it is under way goes with the next. Thread-safe; lives in a shared_ptr.
class post_office : public std::enable_shared_from_this<post_office> {
public:
    /// What letters begin with on a channel, among other messages.
    static constexpr char kind = 'M';

    post_office(asio::any_io_executor executor, std::shared_ptr<connection> server)
        : executor_(std::move(executor)), server_(std::move(server)) {}

    std::unique_ptr<mailbox> open(exchange::listener hear) {
        auto made = std::make_shared<const exchange::listener>(std::move(hear));
        const std::lock_guard lock(mutex_);
        auto name = std::to_string(++boxes_made_);
        boxes_.emplace(name, std::move(made));
        return std::make_unique<open_box>(server_->inbox() + '/' + name, weak_from_this(), std::move(name));
    }

    /// `done` is called with whether a process received it.
    void send(std::string_view address, std::string_view message, const bounce& otherwise, exchange::receipt done) {
        const auto slash = address.find('/');
        if (slash == std::string_view::npos) return done(nullptr, false);
        std::string channel(address.substr(0, slash));
        letter mine;
        put_text(mine.text, address.substr(slash + 1));
        put_text(mine.text, otherwise.address);
        put_text(mine.text, otherwise.message);
        put_text(mine.text, message);
        mine.is_answered = !otherwise.address.empty();
        mine.done = std::move(done);
        if (!join(channel, std::move(mine))) return;
        detail::spawn_ignoring_errors(executor_, pump(shared_from_this(), std::move(channel)));
    }

    /// Passes on what came to this process.
    void deliver(std::string_view letters) {
        byte_reader from(letters);
        while (!from.rest().empty()) {
            const std::string name(from.text());
            bounce otherwise;
            otherwise.address = from.text();
            otherwise.message = from.text();
            const auto message = from.text();
            std::shared_ptr<const exchange::listener> hear;
            {
                const std::lock_guard lock(mutex_);
                const auto found = boxes_.find(name);
                if (found != boxes_.end()) hear = found->second;
            }
            if (hear) {
                (*hear)(message);
            } else if (!otherwise.address.empty()) {
                send(otherwise.address, otherwise.message, bounce(), [](std::exception_ptr, bool) {});
            }
        }
    }

private:
    class open_box final : public mailbox {
    public:
        open_box(std::string address, std::weak_ptr<post_office> at, std::string name)
            : mailbox(std::move(address)), at_(std::move(at)), name_(std::move(name)) {}
        ~open_box() override {
            const auto office = at_.lock();
            if (!office) return;
            const std::lock_guard lock(office->mutex_);
            office->boxes_.erase(name_);
        }

    private:
        std::weak_ptr<post_office> at_;
        std::string name_;
    };

    struct letter {
        std::string text;
        bool is_answered = false;  // so that it is not sent before this process hears
        exchange::receipt done;
    };

    /// Whether nothing is under way to there, so that the caller must see to it.
    bool join(const std::string& channel, letter mine) {
        const std::lock_guard lock(mutex_);
        const auto [at, is_new] = waiting_.try_emplace(channel);
        at->second.push_back(std::move(mine));
        return is_new;
    }

    std::vector<letter> take(const std::string& channel) {
        constexpr std::size_t most = 64 * 1024;  // bytes of several
        const std::lock_guard lock(mutex_);
        const auto at = waiting_.find(channel);
        std::vector<letter> taken;
        for (std::size_t size = 0; !at->second.empty(); at->second.pop_front()) {
            size += at->second.front().text.size();
            if (size > most && !taken.empty()) break;
            taken.push_back(std::move(at->second.front()));
        }
        if (taken.empty()) waiting_.erase(at);
        return taken;
    }

    static asio::awaitable<void> pump(std::shared_ptr<post_office> self, std::string channel) {
        for (auto taken = self->take(channel); !taken.empty(); taken = self->take(channel)) {
            std::string message(1, kind);
            for (const auto& one : taken) message += one.text;
            const bool is_answered = std::ranges::any_of(taken, [](const auto& one) { return one.is_answered; });
            auto publishing = publish(self, channel, std::move(message), is_answered);
            auto published = co_await detail::caught(std::move(publishing));
            const bool was_heard = !published.failure() && published.take();
            for (const auto& one : taken) one.done(published.failure(), was_heard);
        }
    }

    /// Whether a process has heard it.
    static asio::awaitable<bool> publish(std::shared_ptr<post_office> self, std::string channel, std::string message,
                                         bool is_answered) {
        if (is_answered && !self->server_->hears()) co_await self->server_->until_it_hears();
        std::vector<std::string> words;
        words.emplace_back("PUBLISH");
        words.push_back(std::move(channel));
        words.push_back(std::move(message));
        const auto got = co_await self->server_->command(words, false);
        co_return reader(got).integer() > 0;
    }

    const asio::any_io_executor executor_;
    const std::shared_ptr<connection> server_;
    std::mutex mutex_;  // guards all below
    std::map<std::string, std::shared_ptr<const exchange::listener>> boxes_;
    std::map<std::string, std::deque<letter>> waiting_;  // by channel, while something is under way to there
    std::uint64_t boxes_made_ = 0;
};

}  // namespace taskflux::redis
