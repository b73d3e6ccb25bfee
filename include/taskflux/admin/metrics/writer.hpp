#pragma once

#include <taskflux/core/statistics.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

/// Writes metrics: a family's HELP and TYPE, then its samples.
class metrics_writer {
public:
    using label = std::pair<std::string_view, std::string_view>;

    /// Whose value a sample is: what each process says of all, or what one process says of itself.
    enum class scope { cluster, process, latest_of_process };

    void family(std::string_view name, std::string_view type, std::string_view help, scope of) {
        name_ = name;
        out_.append("# HELP ").append(name).append(" ").append(help);
        out_.append(of == scope::cluster ? " Of the cluster: use max.\n" : of == scope::process ? " Of the process: use sum.\n" : " Of the process: use max.\n");
        out_.append("# TYPE ").append(name).append(" ").append(type) += '\n';
    }

    void sample(std::span<const label> labels, const std::string& value, std::string_view suffix = {}) {
        out_.append(name_).append(suffix);
        char before = '{';
        for (const auto& [name, text] : labels) {
            ((out_ += std::exchange(before, ',')) += name) += "=\"";
            for (const char c : text) {
                if (c == '\n') out_ += "\\n";
                else if (c == '"' || c == '\\') (out_ += '\\') += c;
                else out_ += c;
            }
            out_ += '"';
        }
        if (!labels.empty()) out_ += '}';
        ((out_ += ' ') += value) += '\n';
    }
    void sample(std::initializer_list<label> labels, const std::string& value) { sample(std::span(labels.begin(), labels.size()), value); }
    void sample(std::initializer_list<label> labels, std::uint64_t value) { sample(labels, std::to_string(value)); }

    /// `counts`: of each bucket by itself, of which the last has no bound. Its series have up to three labels.
    void histogram(std::initializer_list<label> labels, std::span<const std::string> bounds, std::span<const std::uint64_t> counts,
                   const std::string& sum) {
        std::array<label, 4> all;
        std::size_t size = 0;
        for (const auto& one : labels) all.at(size++) = one;
        std::uint64_t below = 0;
        for (std::size_t i = 0; i <= bounds.size(); ++i) {
            below += i < counts.size() ? counts[i] : 0;
            all.at(size) = label("le", i < bounds.size() ? std::string_view(bounds[i]) : "+Inf");
            sample(std::span(all.data(), size + 1), std::to_string(below), "_bucket");
        }
        sample(std::span(all.data(), size), sum, "_sum");
        sample(std::span(all.data(), size), std::to_string(below), "_count");
    }

    /// A decimal number of seconds, exactly; `many` of them are one.
    static std::string seconds(std::uint64_t parts, std::uint64_t many = 1000) {
        auto text = std::to_string(parts / many);
        if (parts % many == 0) return text;
        auto rest = std::to_string(many + parts % many).substr(1);
        while (rest.back() == '0') rest.pop_back();
        return text + '.' + rest;
    }

    /// Seconds since 1970.
    static std::string timestamp(time_point at) {
        return seconds(static_cast<std::uint64_t>((std::max)(at.time_since_epoch(), duration::zero()).count()));
    }

    std::string take() { return std::move(out_); }

private:
    std::string out_;
    std::string_view name_;
};

}  // namespace taskflux::detail
