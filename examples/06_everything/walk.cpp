#include "walk.hpp"

#include "text.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

namespace fs = std::filesystem;

namespace {

class walker {
public:
    /// A path from the command line. A file is taken whatever it is: its task will tell what is wrong with it.
    void take(const std::string& named) {
        std::error_code ec;
        const auto itself = fs::symlink_status(named, ec);
        if (!fs::exists(itself)) {
            const bool is_missing = itself.type() == fs::file_type::not_found;
            throw usage_error(printable(named) + ": " + (is_missing ? "no such file or folder" : ec.message()));
        }
        if (fs::is_directory(fs::status(named, ec))) {
            read(named, named.ends_with('/') ? named : named + '/', {});
        } else {
            add(named, named);
        }
    }

    /// The folder that is read when none is named.
    void take_tree(const std::string& tree) {
        std::error_code ec;
        if (!fs::is_directory(fs::status(tree, ec))) throw usage_error("--tree " + printable(tree) + ": no such folder");
        read(tree, "", {".git", "build", ".deps"});
    }

    found result() && {
        std::ranges::sort(found_.files, {}, &found_file::shown);
        const auto doubles = std::ranges::unique(found_.files, {}, &found_file::shown);
        found_.files.erase(doubles.begin(), doubles.end());
        std::ranges::sort(found_.unreadable, {}, &unreadable_folder::shown);
        return std::move(found_);
    }

private:
    struct folder {
        fs::path path;
        std::string shown;  ///< what its entries' names follow
    };

    /// Everything below a folder; `without` names entries at its top to leave out.
    void read(const fs::path& top, const std::string& shown, const std::set<std::string>& without) {
        std::vector<folder> pending{{top, shown}};
        while (!pending.empty()) {
            const folder current = std::move(pending.back());
            pending.pop_back();
            std::error_code ec;
            for (fs::directory_iterator entry(current.path, ec), end; !ec && entry != end; entry.increment(ec)) {
                const auto name = entry->path().filename().string();
                if (current.path == top && without.contains(name)) continue;
                std::error_code gone;
                const auto type = entry->symlink_status(gone).type();
                if (type == fs::file_type::directory) {
                    pending.push_back({entry->path(), current.shown + name + '/'});
                } else if (type == fs::file_type::regular) {
                    add(entry->path(), current.shown + name);
                } else {
                    ++found_.skipped;
                }
            }
            if (ec) found_.unreadable.push_back({current.shown.empty() ? "." : current.shown, ec.message()});
        }
    }

    void add(const fs::path& path, const std::string& shown) {
        std::error_code ec;
        const auto size = fs::file_size(path, ec);
        auto absolute = fs::absolute(path, ec);
        found_.files.push_back({(ec ? path : absolute).string(), shown, 0});
        if (size != static_cast<std::uintmax_t>(-1)) found_.files.back().size = size;
    }

    found found_;
};

}  // namespace

found find_files(const settings& wanted) {
    walker files;
    for (const auto& path : wanted.paths) files.take(path);
    if (wanted.paths.empty()) files.take_tree(wanted.tree);
    return std::move(files).result();
}
