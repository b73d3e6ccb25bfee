#pragma once

#include <taskflux/core/id.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// Failed attempts of a kind in a queue: of tasks of one name, with one code, one type and messages that differ in numbers, ids and
/// what is quoted.
struct error_group {
    std::string id;         ///< 16 hexadecimal digits, the same in every process
    std::string task;       ///< name of the tasks
    std::string code;       ///< of the failure
    std::string type;
    std::string signature;  ///< what their messages have in common; empty where a broker with codecs stores messages unreadably
    time_point first{};     ///< on Redis, when its process told of it
    time_point last{};
    std::uint64_t failed = 0;   ///< attempts after which their task had failed
    std::uint64_t retried = 0;  ///< attempts after which another followed
    std::uint64_t hour = 0;     ///< both kinds, in the last hour; a day: by hours, a week: by days
    std::uint64_t day = 0;
    std::uint64_t week = 0;
    std::vector<std::string> samples;  ///< ids of the last three tasks, newest first
    std::vector<std::string> nodes;    ///< the last three of the nodes on which they failed, newest first
};
BOOST_DESCRIBE_STRUCT(error_group, (), (id, task, code, type, signature, first, last, failed, retried, hour, day, week, samples,
                                        nodes))

/// What is done with tasks of an error group: those that have failed are tried afresh or removed; those that have not ended are
/// cancelled.
enum class group_verb { retry, cancel, remove };

/// What a call did with tasks of an error group.
struct group_result {
    std::size_t done = 0;    ///< to how many tasks
    std::uint64_t next = 0;  ///< a cursor: pass it to go on; 0: that was all
};

namespace detail {

struct most_errors {
    static constexpr std::size_t groups = 200;   ///< of a queue: that with the oldest last failure goes
    static constexpr std::size_t tasks = 50000;  ///< of a queue, that are known by group: those submitted last
    static constexpr std::size_t few = 3;        ///< samples, nodes
    static constexpr std::size_t page = 500;     ///< tasks of any group that one call looks at
    static constexpr std::size_t acts = 100;     ///< tasks of the group that one call acts on
};

}  // namespace detail

}  // namespace taskflux
