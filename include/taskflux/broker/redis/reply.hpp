#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/redis/adapter/any_adapter.hpp>
#include <boost/redis/resp3/node.hpp>
#include <boost/redis/resp3/type.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace taskflux::redis {

/// What a node of a reply is.
enum class node_kind { text, integer, nil, list, error };

/// What the server answered: a tree as a flat list in pre-order, all of its strings in one buffer. Errors in
/// it are nodes like any other. A map is a list of keys and values in turn.
class reply {
public:
    struct node {
        node_kind kind = node_kind::nil;
        std::size_t size = 0;    ///< bytes of a text, integer or error; elements of a list
        std::size_t offset = 0;  ///< where the bytes begin
    };

    /// A list of texts, as if a server had answered it.
    static reply of(std::initializer_list<std::string_view> texts) {
        reply out;
        out.nodes_.push_back({node_kind::list, texts.size(), 0});
        for (const auto text : texts) out.add_bytes(node_kind::text, text);
        return out;
    }

    bool empty() const noexcept { return nodes_.empty(); }
    const std::vector<node>& nodes() const noexcept { return nodes_; }

    /// The bytes of a text, an integer or an error.
    std::string_view bytes(const node& which) const {
        return std::string_view(bytes_).substr(which.offset, which.size);
    }

    /// The text of the error that is the whole reply; empty when it is none.
    std::string_view error() const {
        if (nodes_.empty() || nodes_.front().kind != node_kind::error) return {};
        return bytes(nodes_.front());
    }

    /// What a server says, up to where it repeats the command's arguments: those of HELLO are a user and a password.
    static std::string_view without_command(std::string_view said) {
        return said.substr(0, said.find(", with args beginning with"));
    }

    void add(const boost::redis::resp3::node_view& from) {
        using boost::redis::resp3::type;
        switch (from.data_type) {
            case type::array:
            case type::push:
            case type::set:
            case type::map:
            case type::attribute:
                nodes_.push_back(
                    {node_kind::list, from.aggregate_size * element_multiplicity(from.data_type), 0});
                return;
            case type::number: add_bytes(node_kind::integer, from.value); return;
            case type::null: nodes_.push_back({}); return;
            case type::simple_error:
            case type::blob_error: add_bytes(node_kind::error, without_command(from.value)); return;
            case type::simple_string:
            case type::doublean:
            case type::boolean:
            case type::big_number:
            case type::verbatim_string:
            case type::blob_string:
            case type::streamed_string:
            case type::streamed_string_part:
            case type::invalid: add_bytes(node_kind::text, from.value); return;
        }
    }

    /// Takes off the last node, where that is an answer of its own: of the last of several commands.
    node take_last() {
        if (nodes_.empty()) throw taskflux::error(errc::protocol, "the server's reply: the answer to the last command is missing");
        const auto last = nodes_.back();
        nodes_.pop_back();
        return last;
    }

    /// Has Boost.Redis write into this reply, which must outlive the request. Never fails, so that an error
    /// of one command does not cost the connection.
    boost::redis::any_adapter adapter() {
        using boost::redis::any_adapter;
        return any_adapter(any_adapter::impl_t([this](any_adapter::parse_event event,
                                                      const boost::redis::resp3::node_view& from,
                                                      boost::system::error_code&) {
            if (event == any_adapter::parse_event::node) add(from);
        }));
    }

private:
    void add_bytes(node_kind kind, std::string_view text) {
        nodes_.push_back({kind, text.size(), bytes_.size()});
        bytes_ += text;
    }

    std::vector<node> nodes_;
    std::string bytes_;
};

/// Reads a reply from its beginning to its end. What does not come as asked for throws `protocol`, which says
/// what was expected and what came. Views point into the reply, which must outlive them.
class reader {
public:
    explicit reader(const reply& from) noexcept : reply_(&from), end_(from.nodes().size()) {}

    /// A number. A text that looks like one is refused.
    std::int64_t integer() {
        const auto text = reply_->bytes(take(node_kind::integer));
        std::int64_t value = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (ec != std::errc() || end != text.data() + text.size()) {
            throw taskflux::error(errc::protocol,
                                  "the server's reply: \"" + std::string(text) + "\" came as an integer");
        }
        return value;
    }

    std::string_view text() { return reply_->bytes(take(node_kind::text)); }

    /// Enters a list and says how many elements it has; they come next.
    std::size_t list() { return take(node_kind::list).size; }

    /// The text of an error inside the reply, as in "WRONGTYPE Operation against ...".
    std::string_view error() { return reply_->bytes(take(node_kind::error)); }

    bool is_nil() const noexcept { return comes(node_kind::nil); }
    bool is_text() const noexcept { return comes(node_kind::text); }
    bool is_error() const noexcept { return comes(node_kind::error); }
    bool done() const noexcept { return next_ == end_; }

    /// Passes over what comes next, a list with all of its elements.
    void skip() {
        for (std::size_t left = 1; left != 0; --left) {
            if (done()) throw taskflux::error(errc::protocol, "the server's reply: it ends too early");
            const auto& each = reply_->nodes()[next_++];
            if (each.kind == node_kind::list) left += each.size;
        }
    }

    /// What comes next, a list with all of its elements, by itself; passes over it.
    reader part() {
        auto made = *this;
        skip();
        made.end_ = next_;
        return made;
    }

private:
    static std::string_view name(node_kind kind) {
        switch (kind) {
            case node_kind::text: return "a text";
            case node_kind::integer: return "an integer";
            case node_kind::nil: return "nil";
            case node_kind::list: return "a list";
            case node_kind::error: return "an error";
        }
        return "something unknown";
    }

    bool comes(node_kind kind) const noexcept { return !done() && reply_->nodes()[next_].kind == kind; }

    const reply::node& take(node_kind expected) {
        if (!comes(expected)) refuse(expected);
        return reply_->nodes()[next_++];
    }

    [[noreturn]] void refuse(node_kind expected) const {
        std::string what = "the server's reply: expected " + std::string(name(expected)) + " as node " +
                           std::to_string(next_ + 1);
        if (done()) throw taskflux::error(errc::protocol, what + ", but it ends there");
        const auto& came = reply_->nodes()[next_];
        what += ", but " + std::string(name(came.kind)) + " came";
        if (came.kind != node_kind::list && came.kind != node_kind::nil) {
            what += ": \"" + std::string(reply_->bytes(came).substr(0, 80)) + '"';
        }
        throw taskflux::error(errc::protocol, what);
    }

    const reply* reply_;
    std::size_t next_ = 0;
    std::size_t end_;
};

}  // namespace taskflux::redis
