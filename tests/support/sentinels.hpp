#pragma once

#include "redis_server.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace test {

/// A master, a replica of it, and three Sentinels that watch over them. Use by one thread.
class sentinels {
public:
    /// Returns when every Sentinel knows of the others and the replica is in step with its master.
    explicit sentinels(const redis_server_options& servers = redis_server_options());

    static constexpr const char* name = "taskflux";  ///< of the master, to the Sentinels

    /// redis+sentinel://[:password@]127.0.0.1:a,127.0.0.1:b,127.0.0.1:c/taskflux
    std::string url() const;

    redis_server& master() { return *servers_[master_]; }
    redis_server& replica() { return *servers_[1 - master_]; }
    redis_server& sentinel(std::size_t index) { return *sentinels_.at(index); }
    static constexpr std::size_t count = 3;

    /// A failover by command. Returns when all agree on the new master and the old one is its replica in step.
    void fail_over();

    /// To be called when the master was killed or suspended: returns when the replica and the Sentinels that run
    /// agree that it is the master now; master() and replica() have changed places then.
    void await_failover();

    /// Returns when the replica is in step with the master, and the Sentinels take it for fit: after
    /// replica().start(), for instance.
    void await_replica();

private:
    bool has_successor();
    /// How often they tell one another what they know. A server that was made master by one of them is made a replica again
    /// by another that has not heard of it for four times as long: so not often while there may be a failover.
    void talk_often(bool often);
    /// After how many milliseconds they take a master for dead that does not answer: only while a test waits for that, so that a
    /// machine on which all stands still for seconds has no failover that nobody expects.
    void suspect(const std::string& after);
    bool all_sentinels(const std::function<bool(redis_server&)>& hold);

    std::string password_;
    std::array<std::unique_ptr<redis_server>, 2> servers_;
    std::size_t master_ = 0;
    std::array<std::unique_ptr<redis_server>, count> sentinels_;
};

}  // namespace test
