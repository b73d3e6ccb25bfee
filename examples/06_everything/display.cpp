#include "display.hpp"

#include "text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr auto redraw_after = std::chrono::milliseconds(100);
constexpr auto line_after = std::chrono::seconds(5);

std::string part(const queue_progress& queue) {
    return std::to_string(queue.done) + '/' + std::to_string(queue.total);
}

std::size_t terminal_columns() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string sentence(const run_progress& now) {
    return "express " + part(now.express) + ", bulk " + part(now.bulk) + ", " + bytes_text(now.bytes) + " of " +
           bytes_text(now.total_bytes);
}

std::string progress_line(const run_progress& now) {
    const queue_progress files{now.express.done + now.bulk.done, now.express.total + now.bulk.total};
    return "progress  " + part(files) + " files: " + sentence(now) + '\n';
}

/// Bytes count, and a little each file, so that many small ones move the bar too.
double fraction(const run_progress& now) {
    constexpr double file_cost = 16384;
    const auto weigh = [](std::size_t files, std::uint64_t bytes) {
        return static_cast<double>(files) * file_cost + static_cast<double>(bytes);
    };
    const auto total = weigh(now.express.total + now.bulk.total, now.total_bytes);
    return (std::clamp)(weigh(now.express.done + now.bulk.done, now.bytes) / total, 0.0, 1.0);
}

}  // namespace

display::display() {
    const char* const kind = std::getenv("TERM");
    is_terminal_ = ::isatty(STDERR_FILENO) == 1 && kind && std::string_view(kind) != "dumb";
    if (!is_terminal_) last_ = clock::now();
}

void display::update(const run_progress& now) {
    now_ = now;
    const auto passed = clock::now() - last_;
    if (is_terminal_) {
        if (passed >= redraw_after) draw();
        return;
    }
    const auto done = now.express.done + now.bulk.done;
    const auto total = now.express.total + now.bulk.total;
    if (done < next_ && passed < line_after) return;
    told_ = done;
    next_ = done == total ? total + 1 : (std::min)(total, (done * 10 / total + 1) * total / 10 + 1);
    last_ = clock::now();
    print(progress_line(now));
}

void display::draw() {
    const auto share = fraction(now_);
    const auto text = "] " + std::to_string(static_cast<int>(share * 100)) + " %  " + sentence(now_);
    const auto columns = terminal_columns();
    const auto width = (std::clamp)(columns, text.size() + 12, text.size() + 42) - text.size() - 2;
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    auto line = '[' + std::string(filled, '#') + std::string(width - filled, '-') + text;
    line.resize((std::min)(line.size(), columns - 1));
    print('\r' + line + "\x1b[K");
    is_drawn_ = true;
    last_ = clock::now();
}

void display::note(const std::string& text) {
    if (is_drawn_) print("\r\x1b[K");
    print(text + '\n');
    if (is_drawn_) draw();
}

void display::close() {
    if (is_drawn_) print("\r\x1b[K");
    is_drawn_ = false;
    const auto done = now_.express.done + now_.bulk.done;
    if (!is_terminal_ && done != told_) print(progress_line(now_));
    told_ = done;
}

void display::print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}
