// expect: tasks that emit values can't be handled in batches: use on()
#include <taskflux/calls/stream.hpp>
#include <taskflux/flow/worker.hpp>

#include <span>

#ifndef FIXED
inline constexpr taskflux::task<taskflux::stream<int>(double)> draw{"draw"};
#else
inline constexpr taskflux::task<void(double)> draw{"draw"};
#endif

void on_draw(std::span<taskflux::batch_item<double>>) {}

void set_up(taskflux::worker& worker) { worker.on_batch(draw, taskflux::batch_options{}, on_draw); }
