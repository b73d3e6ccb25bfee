#pragma once

#include <boost/uuid/time_generator_v7.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <string>

namespace taskflux {

/// Makes UUIDs of version 7 (RFC 9562): unique, and sorted by the time they were made, also when the
/// clock steps back. One per thread, or guarded.
class uuid_generator {
public:
    boost::uuids::uuid operator()() {
        const auto made = generate_();
        last_ = made > last_ ? made : successor(last_);
        return last_;
    }

    /// The next id as 36 characters.
    std::string text() { return to_string((*this)()); }

private:
    static boost::uuids::uuid successor(boost::uuids::uuid id) {
        // Counts up the random tail (bytes 9 to 15), RFC 9562 §6.2 method 2. Overflow takes 2^56 ids.
        for (auto position = id.size(); position-- > 9;) {
            if (++id.data[position] != 0) break;
        }
        return id;
    }

    boost::uuids::time_generator_v7 generate_;
    boost::uuids::uuid last_ = {};
};

}  // namespace taskflux
