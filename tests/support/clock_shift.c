/* Preloaded into a Redis server by tests: its real-time clocks run ahead by as many milliseconds as the eight bytes
   of the file named by TASKFLUX_CLOCK_OFFSET say, at any moment. What measures spans (the monotonic clocks) is left
   alone. With TASKFLUX_CLOCK_FROZEN set they stand still otherwise, or, when that is "cpu", move on only while the
   server computes. Raw system calls, as libc's own functions are the ones replaced here. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t* offset_ms;
static int is_frozen, counts_cpu;
static struct timespec frozen;

__attribute__((constructor)) static void map_offset(void) {
    const char* name = getenv("TASKFLUX_CLOCK_OFFSET");
    const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void* memory = mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) offset_ms = memory;
    close(file);
    const char* kind = getenv("TASKFLUX_CLOCK_FROZEN");
    is_frozen = kind != NULL && syscall(SYS_clock_gettime, CLOCK_REALTIME, &frozen) == 0;
    counts_cpu = is_frozen && strcmp(kind, "cpu") == 0;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
    const int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (failed || !offset_ms || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return failed;
    if (is_frozen) *now = frozen;
    const int64_t offset = __atomic_load_n(offset_ms, __ATOMIC_RELAXED);
    struct timespec used = {0, 0};
    if (counts_cpu) syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &used);
    int64_t ns = now->tv_nsec + used.tv_nsec + offset % 1000 * 1000000;
    now->tv_sec += used.tv_sec + (time_t)(offset / 1000);
    for (; ns < 0; ns += 1000000000) --now->tv_sec;
    for (; ns >= 1000000000; ns -= 1000000000) ++now->tv_sec;
    now->tv_nsec = (long)ns;
    return 0;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
