#pragma once

#include <sys/types.h>

#include <functional>

namespace test {

/// A process of its own that runs a function of this program: to be killed or stopped. It dies with the thread that
/// started it. Start it while this process has one thread.
class child {
public:
    explicit child(const std::function<void()>& body);
    ~child();  // kills it
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    void kill();     ///< kill -9; returns when it is dead.
    void suspend();  ///< SIGSTOP; returns when it stands still.
    void resume();

private:
    pid_t pid_;
};

}  // namespace test
