#pragma once

#include "../flow/fixture.hpp"

#include <taskflux/codec/coded.hpp>
#include <taskflux/codec/encrypted.hpp>
#include <taskflux/core/codec/coded.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test::codec {

using namespace test::flow;
using taskflux::codecs_of;
using taskflux::coded_options;
using taskflux::encryption_key;
using taskflux::key_ring;

inline encryption_key key_of(char byte) { return encryption_key(std::string(encryption_key::size, byte)); }

inline const std::string secret = "top-secret";

inline constexpr taskflux::task<std::string(std::string)> echo{"echo"};

inline bool is_sealed(std::string_view text) {
    return codecs_of(text) == "aes-256-gcm:k1" && text.find(secret) == std::string_view::npos;
}

/// The broker of `fixture` is what stands in the place of the server: `sealed` is in front of it.
struct coded_fixture : fixture {
    key_ring keys{"k1", key_of('a')};
    std::vector<std::string> lines;
    taskflux::broker_ptr sealed = in_front(keys);
    taskflux::client sealed_client{sealed};

    coded_options quiet() {
        return coded_options().log([this](std::string_view line) { lines.emplace_back(line); });
    }
    taskflux::broker_ptr in_front(const key_ring& of) { return taskflux::coded(broker, {taskflux::encrypted(of)}, quiet()); }

    taskflux::task_record stored(const taskflux::task_id& id) {
        auto found = now(broker->get(id));
        BOOST_REQUIRE(found.has_value());
        return *found;
    }

    /// The next task of a queue, held by a consumer of `by`.
    taskflux::delivery held(const taskflux::broker_ptr& by, const std::string& queue = "default") {
        now(by->join("w", {queue}, 30s));
        taskflux::fetch_request request;
        request.consumer = "w";
        request.queues = {queue};
        auto found = now(by->fetch(request));
        BOOST_REQUIRE(found.size() == 1U);
        return std::move(found[0]);
    }

    effect settled(const taskflux::broker_ptr& by, const taskflux::delivery& what, taskflux::settlement end,
                   const std::string& queue = "default") {
        end.key = what.key;
        end.token = what.token;
        return now(by->settle(queue, "w", std::vector<taskflux::settlement>(1, std::move(end)))).at(0);
    }
};

}  // namespace test::codec
