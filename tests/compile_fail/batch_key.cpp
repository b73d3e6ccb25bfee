// expect: the function given to batch_options::by does not give a key: it must take (const Payload&), and return a text or an
// names: double
#include <taskflux/flow/worker.hpp>

#include <span>
#include <string>

inline constexpr taskflux::task<void(double)> draw{"draw"};

void on_draw(std::span<taskflux::batch_item<double>>) {}

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on_batch(draw, taskflux::batch_options{}.by([](double radius) { return radius; }), on_draw);
#else
    worker.on_batch(draw, taskflux::batch_options{}.by([](double radius) { return std::to_string(radius); }), on_draw);
#endif
}
