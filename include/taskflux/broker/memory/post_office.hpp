#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/exchange.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/serial_executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// `exchange` within a process. Thread-safe; lives in a shared_ptr.
class post_office : public std::enable_shared_from_this<post_office> {
public:
    /// Keeps `clock.shared()`.
    post_office(asio::any_io_executor executor, taskflux::clock& clock) : executor_(std::move(executor)), clock_(clock.shared()) {}

    std::unique_ptr<mailbox> open(exchange::listener hear) {
        auto made = std::make_shared<box>(detail::make_serial(executor_), std::move(hear));
        const std::lock_guard lock(mutex_);
        auto address = "memory/" + std::to_string(++boxes_made_);
        boxes_.emplace(address, made);
        return std::make_unique<open_box>(std::move(address), weak_from_this(), std::move(made));
    }

    bool send(const std::string& address, std::string message) {
        std::shared_ptr<box> to;
        {
            const std::lock_guard lock(mutex_);
            check_open();
            const auto found = boxes_.find(address);
            if (found == boxes_.end()) return false;
            to = found->second;
        }
        auto& strand = to->strand;
        asio::post(strand, [to = std::move(to), text = std::move(message)] { to->deliver(text); });
        return true;
    }

    void announce(const std::string& board, std::string id, std::string text, duration lease) {
        const std::lock_guard lock(mutex_);
        check(board);
        detail::check_name(detail::limits::board_row, id);
        boards_[board][std::move(id)] = {std::move(text), later(clock_->now(), lease)};
    }

    void withdraw(const std::string& board, const std::string& id) {
        const std::lock_guard lock(mutex_);
        check(board);
        boards_[board].erase(id);
    }

    std::vector<announcement> announced(const std::string& board) {
        const std::lock_guard lock(mutex_);
        check(board);
        auto& rows = boards_[board];
        std::erase_if(rows, [now = clock_->now()](const auto& row) { return row.second.till <= now; });
        std::vector<announcement> all;
        for (const auto& [id, what] : rows) all.push_back({id, what.text});
        return all;
    }

    /// Ends every later call with `shut_down`.
    void shut() {
        const std::lock_guard lock(mutex_);
        is_shut_ = true;
    }

private:
    struct box {
        box(asio::any_io_executor on, exchange::listener to) : strand(std::move(on)), hear(std::make_shared<const exchange::listener>(std::move(to))) {}

        void deliver(const std::string& text) {
            const auto listener = current();  // which may close this box
            if (listener) (*listener)(text);
        }

        void close() {
            const std::lock_guard lock(mutex);
            hear.reset();
        }

        std::shared_ptr<const exchange::listener> current() {
            const std::lock_guard lock(mutex);
            return hear;
        }

        const asio::any_io_executor strand;
        std::mutex mutex;  // guards what follows
        std::shared_ptr<const exchange::listener> hear;
    };

    class open_box final : public mailbox {
    public:
        open_box(std::string address, std::weak_ptr<post_office> at, std::shared_ptr<box> mine)
            : mailbox(std::move(address)), at_(std::move(at)), mine_(std::move(mine)) {}
        ~open_box() override {
            if (const auto office = at_.lock()) office->close(address());
            mine_->close();
        }

    private:
        std::weak_ptr<post_office> at_;
        std::shared_ptr<box> mine_;
    };

    struct notice {
        std::string text;
        time_point till;
    };

    void check_open() const {
        if (is_shut_) throw detail::broker_is_closed();
    }

    void check(const std::string& board) const {
        check_open();
        detail::check_board_name(board);
    }

    void close(const std::string& address) {
        const std::lock_guard lock(mutex_);
        boxes_.erase(address);
    }

    const asio::any_io_executor executor_;
    const std::shared_ptr<taskflux::clock> clock_;
    std::mutex mutex_;  // guards all below
    std::map<std::string, std::shared_ptr<box>> boxes_;
    std::map<std::string, std::map<std::string, notice>> boards_;
    std::uint64_t boxes_made_ = 0;
    bool is_shut_ = false;
};

}  // namespace taskflux::memory
