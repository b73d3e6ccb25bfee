#pragma once

#include <boost/uuid/time_generator_v7.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <string>

namespace taskflux {

namespace detail {

/// The id that is given after `last`: what was made, or, where the clock stepped back, the one behind `last`.
inline boost::uuids::uuid following(boost::uuids::uuid last, const boost::uuids::uuid& made) {
    if (made > last) return made;
    // Counts up the random tail (bytes 9 to 15), RFC 9562 §6.2 method 2. Overflow takes 2^56 ids.
    for (auto position = last.size(); position-- > 9;) {
        if (++last.data[position] != 0) break;
    }
    return last;
}

}  // namespace detail

/// Makes UUIDs of version 7 (RFC 9562): unique, and sorted by the time they were made, also when the
/// clock steps back. One per thread, or guarded.
class uuid_generator {
public:
    boost::uuids::uuid operator()() {
        return last_ = detail::following(last_, generate_());
    }

    /// The next id as 36 characters.
    std::string text() { return to_string((*this)()); }

private:
    boost::uuids::time_generator_v7 generate_;
    boost::uuids::uuid last_ = {};
};

}  // namespace taskflux
