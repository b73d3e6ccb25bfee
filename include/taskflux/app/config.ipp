#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/app/config/budget.hpp>
#include <taskflux/app/config/json_places.hpp>
#include <taskflux/app/config/load.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/app/config/strict.hpp>
#include <taskflux/app/config/variables.hpp>
#include <taskflux/detail/platform/process.hpp>

#include <boost/json/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <ios>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>


namespace taskflux {

namespace detail {

inline constexpr const char* environments_key = "environments";
inline constexpr const char* unknown_file = "what was given as the config file";

config_document read_json_config(std::string_view text, const std::string& name) {
    const text_places place(text, name);
    boost::json::parse_options options;
    options.max_depth = config_budget::max_depth;
    boost::json::parser parser({}, options);
    boost::system::error_code ec;
    const auto consumed = parser.write(text.data(), text.size(), ec);
    if (ec == boost::json::error::too_deep) throw config_budget::too_deep(place(consumed));
    if (ec) throw config_error("", "not valid JSON: " + ec.message(), place(consumed));
    config_document made;
    made.root = parser.release();
    config_budget budget;
    json_places(text, [&](const std::string& pointer, std::size_t offset) {
        budget.spend(pointer.size(), [&] { return place(offset); });
        if (made.places.emplace(pointer, place(offset)).second) return;
        throw config_error(pointer, "the key is there twice: remove one", place(offset));
    }).walk();
    return made;
}

/// A URL in a wrong place is not quoted: a password may be in it.
bool may_be_url(std::string_view text) { return text.find("://") != text.npos || text.find('@') != text.npos; }

std::string shown_file(const std::string& path, const std::string& unknown) {
    if (!may_be_url(path)) return path;
    if (path.find("://") != path.npos) return unknown;
    // It may be a file's own name, or a URL without its scheme. A password comes before the '@'; of a directory, nothing may be
    // in doubt. Behind a host, options may follow.
    const auto before = path.substr(0, path.rfind('@')), after = path.substr(before.size());
    const bool is_absolute = before.starts_with('/') && !before.starts_with("//") && before.find_first_of(":@") == before.npos;
    const auto end = after.find_first_of("/?:");
    const auto directory = is_absolute ? before.substr(0, before.rfind('/') + 1) : std::string();
    return directory + "***" + after.substr(0, end) + (end == after.npos ? "" : "***");
}

std::string read_text(const std::string& path) {
    std::string why;
    try {
        std::ifstream file;
        file.exceptions(std::ios::failbit | std::ios::badbit);
        file.open(path, std::ios::binary);
        std::string text;
        for (std::istreambuf_iterator<char> at(file), end; at != end; ++at) {
            text.push_back(*at);
            config_budget::check_size(text.size(), path);  // before more is read: it may be endless
        }
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
        if (!text.starts_with("\xFF\xFE") && !text.starts_with("\xFE\xFF")) return text;
        why = "it is in UTF-16; save it as UTF-8";
    } catch (const std::ios::failure&) {
        why = std::generic_category().message(errno);
    }
    throw config_error("", "the config file can't be read: " + why, shown_file(path, unknown_file));
}

config_document read_file(const config_sources& sources) {
    const auto& path = sources.file();
    std::vector<config_format> formats(1, config_format{{".json"}, read_json_config});
    formats.insert(formats.end(), sources.formats().begin(), sources.formats().end());
    std::vector<std::string> endings;
    for (const auto& format : formats) {
        for (const auto& ending : format.endings) {
            if (path.ends_with(ending)) return format.read(read_text(path), path);
            endings.push_back(ending);
        }
    }
    throw config_error("", "unknown kind of config file: its name must end in one of " + quoted_list(endings) +
                               (endings.size() > 1 ? "" : " (for YAML see <taskflux/app/yaml.hpp>)"), shown_file(path, unknown_file));
}

/// Sets the keys of `over` in `under`, with their places; each replaces the whole value that was there.
void overlay(config_document& under, const boost::json::object& over, const std::map<std::string, std::string>& places,
             const std::string& prefix = std::string()) {
    // What is below a value stands together among the places: '0' is the character after '/'.
    const auto below = [](auto& all, const std::string& pointer) {
        return std::pair(all.lower_bound(pointer + '/'), all.lower_bound(pointer + '0'));
    };
    auto& root = under.root.get_object();
    for (const auto& member : over) {
        const path top;
        const auto pointer = path(top, member.key()).pointer();
        const auto replaced = below(under.places, pointer);
        under.places.erase(replaced.first, replaced.second);
        const auto place = places.find(prefix + pointer);
        if (place != places.end()) under.places[pointer] = place->second;
        const auto [first, last] = below(places, prefix + pointer);
        for (auto one = first; one != last; ++one) under.places[one->first.substr(prefix.size())] = one->second;
        root[member.key()] = member.value();
    }
}

config_error loaded_config::placed(const config_error& e) const {
    auto pointer = e.pointer();
    for (;;) {
        const auto found = places.find(pointer);
        if (found != places.end()) return config_error(e.pointer(), e.reason(), found->second);
        const auto above = pointer.rfind('/');
        if (above == 0 || above == std::string::npos) return e;  // no source sets it: it is the program's own value
        pointer.resize(above);  // a missing value has the place of the object around it
    }
}

/// The error without what it quotes of a value that may be a URL in a wrong place. Errors of `url` quote nothing of it.
config_error without_url(const config_error& e, const boost::json::value& root) {
    boost::system::error_code none;
    const auto* value = root.find_pointer(e.pointer(), none);
    if (!value || !value->is_string() || !may_be_url(value->get_string()) || e.pointer() == "/url") return e;
    const auto got = e.reason().find(", got ");
    if (got == std::string::npos) return config_error(e.pointer(), "this value is invalid, and not shown as it may be a URL");
    return config_error(e.pointer(), e.reason().substr(0, got) + ", got what may be a URL");
}

loaded_config checked(const config_document& from, const app_config& base) {
    loaded_config made{base, from.places};
    try {
        read_strictly(from.root, made.values);
        check_config(made.values);
    } catch (const config_error& e) {
        throw made.placed(without_url(e, from.root));
    }
    return made;
}

/// Takes the file's sections out of it, by the names of their environments.
std::map<std::string, boost::json::object> take_sections(config_document& file) {
    std::map<std::string, boost::json::object> sections;
    auto* root = file.root.if_object();
    const auto* all = root ? root->if_contains(environments_key) : nullptr;
    if (!all) return sections;
    const auto keys = keys_of<app_config>();
    try {
        const path top;  // `at` refers to it
        const path at(top, environments_key);
        std::map<app_environment, boost::json::value> read;
        reader::read(*all, read, at);  // the names
        for (const auto& section : all->get_object()) {
            const path here(at, section.key());
            if (!section.value().is_object()) fail_expected(here, "object", section.value());
            auto allowed = keys;
            std::erase(allowed, "env");  // the section was chosen by it
            refuse_unknown_keys(section.value().get_object(), allowed, here);
            sections.emplace(section.key(), section.value().get_object());
        }
    } catch (const payload_error& e) {
        throw loaded_config{{}, file.places}.placed(without_url(config_error(e.pointer(), e.reason()), file.root));
    } catch (const config_error& e) {
        throw loaded_config{{}, file.places}.placed(without_url(e, file.root));
    }
    root->erase(environments_key);
    return sections;
}

loaded_config load(const config_sources& sources, const app_config& base) {
    config_document file;
    file.root.emplace_object();
    if (!sources.file().empty()) file = read_file(sources);
    const auto all_places = file.places;
    const auto sections = take_sections(file);
    if (!file.root.is_object()) {
        // A text is not quoted: it may be a URL whose key lacks its colon or space.
        const auto got = file.root.is_string() ? std::string("a string") : shown(file.root);
        throw loaded_config{{}, file.places}.placed(config_error("", "expected object, got " + got));
    }

    auto variables = read_variables(sources.variables());
    if (!sources.env().empty()) {
        variables.root.get_object()["env"] = sources.env();
        variables.places["/env"] = "--env";
    }
    for (const auto& [name, section] : sections) {
        auto whole = file;
        overlay(whole, section, all_places, std::string("/") + environments_key + '/' + name);
        checked(whole, base);
    }
    auto whole = file;
    overlay(whole, variables.root.get_object(), variables.places);
    const auto env = checked(whole, base).values.env;
    if (!env) return checked(whole, base);
    std::string name;
    any_enumerator<app_environment>([&](std::string_view one, app_environment value) {
        if (value == *env) name = one;
        return value == *env;
    });
    const auto section = sections.find(name);
    if (section == sections.end()) return checked(whole, base);
    whole = std::move(file);
    overlay(whole, section->second, all_places, std::string("/") + environments_key + '/' + name);
    overlay(whole, variables.root.get_object(), variables.places);
    return checked(whole, base);
}

}  // namespace detail

std::map<std::string, std::string> taskflux_variables() {
    std::map<std::string, std::string> found;
    for (const auto text : detail::environment_variables()) {
        const auto equals = text.find('=');
        if (!text.starts_with("TASKFLUX_") || equals == std::string_view::npos) continue;
        found.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return found;
}

app_config load_config(const config_sources& sources, const app_config& base) { return detail::load(sources, base).values; }

app_config load_config(const std::string& path) { return load_config(config_sources().file(path)); }

}  // namespace taskflux
