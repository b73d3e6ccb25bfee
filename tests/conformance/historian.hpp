#pragma once

#include <conformance/fixture.hpp>

#include <taskflux/admin/inspector.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

/// A queue with one worker, whose tasks' attempts and logs are read.
struct historian : fixture {
    explicit historian(std::unique_ptr<backend> on) : fixture(std::move(on)) { join(); }

    attempt_list attempts(task_key key) { return run(broker().attempts({q, key})); }
    std::vector<attempt_outcome> outcomes(task_key key) {
        std::vector<attempt_outcome> found;
        for (const auto& one : attempts(key).attempts) found.push_back(one.outcome);
        return found;
    }
    past_attempt last(task_key key) {
        const auto all = attempts(key).attempts;
        BOOST_REQUIRE(!all.empty());
        return all.back();
    }

    void say(const delivery& which, std::vector<std::string> texts, const std::string& consumer = w) {
        attempt_report news;
        news.key = which.key;
        news.token = which.token;
        for (auto& text : texts) {
            auto& line = news.log.emplace_back();
            line.at = time_point(duration(++said_));
            line.text = std::move(text);
        }
        BOOST_TEST(run(broker().report(q, consumer, {news})).at(0) == effect::done);
    }
    log_page read(task_key key, std::string cursor = {}, std::size_t limit = 100) {
        log_query query;
        query.cursor = std::move(cursor);
        query.limit = limit;
        return run(broker().log({q, key}, query));
    }
    static std::vector<std::string> texts(const log_page& page) {
        std::vector<std::string> found;
        for (const auto& line : page.lines) found.push_back(line.text);
        return found;
    }

    static std::string thrown(const std::string& message) { return R"({"code":"thrown","message":")" + message + R"("})"; }

    int said_ = 0;
};

}  // namespace taskflux::conformance
