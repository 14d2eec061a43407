// How the iterations of many problems begin, how each of them is judged, and what it leaves.
//
// The rank k and the limits lie on the device, so that launches recorded once serve every rank. All
// sums run in a fixed order.

#ifndef THREADS
#define THREADS 128
#endif

// How the steps are pushed and when they end; refine.py has the same numbers.
#define START_RATE 0.5f
#define GROWTH 1.05f
#define CAP_GROWTH 1.01f
#define CUT 1.5f
#define CALM 2
#define FAR 3.4e38f

// Begin with w (p, k, m) and h (p, k, q); grid (values of the larger one / THREADS).
//
// Each factor is copied to its ahead, last and best. state (p, 3): rate cap, last loss, calm
// iterations in a row. loss (p,): the best so far. limits (2,): tolerance, square of the floor.
extern "C" __global__ void begin(const float* w, const float* h, float* ahead_w, float* last_w,
                                 float* best_w, float* ahead_h, float* last_h, float* best_h,
                                 float* state, float* loss, float* rate, int* finished, int* rank,
                                 float* limits, int problems, int k, int m, int q, float tolerance,
                                 float floor_square) {
    const size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x, rows = (size_t)problems * k;
    if (i < rows * m) ahead_w[i] = last_w[i] = best_w[i] = w[i];
    if (i < rows * q) ahead_h[i] = last_h[i] = best_h[i] = h[i];
    if (i < problems) {
        state[3 * i] = 1.0f;
        state[3 * i + 1] = loss[i] = FAR;
        state[3 * i + 2] = 0.0f;
        rate[i] = START_RATE;
        finished[i] = 0;
    }
    if (i == 0) {
        *rank = k;
        limits[0] = tolerance;
        limits[1] = floor_square;
    }
}

// Judge an iteration of each problem, one thread each: see Course.judge in refine.py.
//
// square (p,): ||A||^2. rate (p,): of the next push. push (p,): of h now, 0 where w is taken back.
// improved, finished (p,): flags.
extern "C" __global__ void judge(const double* partial, const float* square, const float* limits,
                                 float* state, float* loss, float* rate, float* push, int* improved,
                                 int* finished, int problems, int blocks) {
    const int p = blockIdx.x * THREADS + threadIdx.x;
    if (p >= problems) return;
    improved[p] = 0;
    if (finished[p]) return;
    double sum = square[p];
    for (int block = 0; block < blocks; ++block) sum += partial[(size_t)p * blocks + block];
    const float found = fmaxf((float)sum, 0.0f);
    float *cap = state + 3 * p, *last = cap + 1, *calm = cap + 2;
    if (found < loss[p]) {
        loss[p] = found;
        improved[p] = 1;
    }
    if (found > *last) {
        push[p] = 0.0f;
        *calm = 0.0f;
        *cap = rate[p];
        rate[p] /= CUT;
    } else {
        push[p] = rate[p];
        const float least = fmaxf(found, limits[1] * square[p]);
        *calm = *last - found <= limits[0] * least ? *calm + 1.0f : 0.0f;
        finished[p] = *calm >= CALM;
        rate[p] = fminf(*cap, GROWTH * rate[p]);
        *cap = fminf(1.0f, CAP_GROWTH * *cap);
    }
    *last = found;
}

// Carry both factors over to the next iteration; grid (values of both / THREADS, p).
//
// ahead_w has been pushed on from last_w already: it is the best, and is taken back where push is 0.
// h has been found as fresh_h, starting from ahead_h; it is pushed on along its change from last_h.
extern "C" __global__ void carry(float* ahead_w, const float* last_w, float* best_w, float* ahead_h,
                                 const float* fresh_h, float* last_h, float* best_h,
                                 const float* push, const int* improved, const int* rank, int m,
                                 int q) {
    const size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x;
    const size_t problem = blockIdx.y, size_w = (size_t)*rank * m, size_h = (size_t)*rank * q;
    if (i < size_w) {
        const size_t at = problem * size_w + i;
        if (improved[problem]) best_w[at] = ahead_w[at];
        if (push[problem] == 0.0f) ahead_w[at] = last_w[at];
    } else if (i < size_w + size_h) {
        const size_t at = problem * size_h + i - size_w;
        const float fresh = fresh_h[at];
        if (improved[problem]) best_h[at] = fresh;
        ahead_h[at] = fmaxf(fresh + push[problem] * (fresh - last_h[at]), 0.0f);
        last_h[at] = fresh;
    }
}
