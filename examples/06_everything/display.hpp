#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

struct queue_progress {
    std::size_t done = 0;
    std::size_t total = 0;
};

struct run_progress {
    queue_progress express;
    queue_progress bulk;
    std::uint64_t bytes = 0;
    std::uint64_t total_bytes = 0;
};

/// Shows on standard error how far the run is: as a bar that is drawn over itself on a terminal, as a line for
/// every tenth of the files elsewhere. For one thread.
class display {
public:
    display();

    /// Shows `now`, or keeps it for later when the last drawing is not long ago.
    void update(const run_progress& now);

    /// A line of its own, above the bar.
    void note(const std::string& text);

    /// Takes the bar away, or gives the last line.
    void close();

private:
    using clock = std::chrono::steady_clock;

    void draw();
    void print(const std::string& text);

    bool is_terminal_;
    bool is_drawn_ = false;
    run_progress now_;
    clock::time_point last_{};
    std::size_t next_ = 1;   ///< files done when the next line is due
    std::size_t told_ = 0;   ///< files done in the last line
};
