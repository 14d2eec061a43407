// Coordinate sweeps and the course of the iterations, for many problems at once.
//
// A factor is stored by component, (k, m) for each problem. A thread owns one column of it: the
// columns are independent of each other, and neighbouring threads read neighbouring addresses.
// K is a constant of the build: the number of components rounded up, held in registers, with the
// Gram matrix in shared memory; 0 is the build for any number, which works in global memory.
// All sums run in a fixed order: no atomics, so the same input gives the same bits.

#ifndef K
#define K 0
#endif
#ifndef THREADS
#define THREADS 128
#endif

// How the steps are pushed and when they end; refine.py has the same numbers.
#define GROWTH 1.05f
#define CAP_GROWTH 1.01f
#define CUT 1.5f
#define CALM 2

// Nothing is loaded ahead of its use, or the registers would not suffice for the components.
#define KEEP_ORDER() asm volatile("" ::: "memory")

enum Mode { IN_PLACE, PUSH, MEASURE };

struct Gram {
    const float* values;  // (k, k)
#if K > 0
    const float* weights;   // (K, K): values over their diagonal, itself zero
    const float* diagonal;  // (K,)
#endif
    int k;
};

// Sweep over one column x, of which neighbouring components are `stride` apart; then, where
// `measure`, return x' gram x - 2 cross' x, in one more pass of the same kind that sets nothing.
__device__ float sweep_column(const Gram& gram, float* x, const float* cross, int stride,
                              int sweeps, bool measure) {
    const int passes = sweeps + measure, k = gram.k;
    float sum = 0.0f;
#if K > 0
    float own[K];
#pragma unroll
    for (int j = 0; j < K; ++j) own[j] = j < k ? x[(size_t)j * stride] : 0.0f;
#pragma unroll 1
    for (int pass = 0; pass < passes; ++pass) {
#pragma unroll
        for (int j = 0; j < K; ++j) {
            KEEP_ORDER();
            const float size = gram.diagonal[j];
            const float given = j < k ? cross[(size_t)j * stride] : 0.0f;
            float step = size > 0.0f ? given / size : 0.0f;
#pragma unroll
            for (int i = 0; i < K; ++i) step -= gram.weights[j * K + i] * own[i];
            if (pass == sweeps) {
                sum += own[j] * (size * (own[j] - step) - given);
            } else {
                own[j] = size > 0.0f ? fmaxf(step, 0.0f) : 0.0f;
            }
        }
    }
#pragma unroll
    for (int j = 0; j < K; ++j) {
        if (j < k) x[(size_t)j * stride] = own[j];
    }
#else
    for (int pass = 0; pass < passes; ++pass) {
        for (int j = 0; j < k; ++j) {
            const float* row = gram.values + (size_t)j * k;
            const float old = x[(size_t)j * stride], given = cross[(size_t)j * stride];
            float rest = given;
            for (int i = 0; i < k; ++i) rest -= row[i] * x[(size_t)i * stride];
            if (pass == sweeps) {
                sum -= old * (rest + given);
            } else {
                x[(size_t)j * stride] = row[j] > 0.0f ? fmaxf(old + rest / row[j], 0.0f) : 0.0f;
            }
        }
    }
#endif
    return sum;
}

// One half-step on a factor (p, k, m); grid (columns / THREADS, p).
//
// IN_PLACE: ahead is swept. PUSH: so it is, what it has become goes to last, and ahead is pushed on
// by rate along its change. MEASURE: what ahead becomes goes to last, and the data-dependent part of
// the loss, summed over the block's columns, to partial (p, blocks). Finished problems are left.
extern "C" __global__ void half_step(float* ahead, float* last, const float* gram,
                                     const float* cross, const float* rate, const int* finished,
                                     double* partial, int k, int m, int sweeps, int mode) {
    const int problem = blockIdx.y;
    if (mode != IN_PLACE && finished[problem]) return;
    const size_t offset = (size_t)problem * k * m;
    const float* matrix = gram + (size_t)problem * k * k;
#if K > 0
    __shared__ float weights[K * K];
    __shared__ float diagonal[K];
    for (int i = threadIdx.x; i < K * K; i += THREADS) {
        const int row = i / K, column = i % K;
        const float size = row < k ? matrix[row * k + row] : 0.0f;
        const bool inside = column < k && row != column && size > 0.0f;
        weights[i] = inside ? matrix[row * k + column] / size : 0.0f;
        if (row == column) diagonal[row] = size;
    }
    __syncthreads();
    const Gram shared = {matrix, weights, diagonal, k};
#else
    const Gram shared = {matrix, k};
#endif
    const int column = blockIdx.x * THREADS + threadIdx.x;
    float loss = 0.0f;
    if (column < m) {
        float* x = ahead + offset + column;
        float* old = last + offset + column;
        const float* given = cross + offset + column;
        if (mode == MEASURE) {
            for (int j = 0; j < k; ++j) old[(size_t)j * m] = x[(size_t)j * m];
            x = old;
        }
        loss = sweep_column(shared, x, given, m, sweeps, mode == MEASURE);
        if (mode == PUSH) {
            const float push = rate[problem];
            for (int j = 0; j < k; ++j) {
                const size_t at = (size_t)j * m;
                const float fresh = x[at];
                x[at] = fmaxf(fresh + push * (fresh - old[at]), 0.0f);
                old[at] = fresh;
            }
        }
    }
    if (mode != MEASURE) return;
    __shared__ double sums[THREADS];
    sums[threadIdx.x] = loss;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) partial[(size_t)problem * gridDim.x + blockIdx.x] = sums[0];
}

// Judge an iteration of each problem, one thread each: see Course.judge in refine.py.
//
// square (p,): ||A||^2. state (p, 4): rate cap, last loss, best loss, calm iterations in a row.
// rate (p,): of the next push. push (p,): of h now, 0 where w is taken back. improved, finished
// (p,): flags.
extern "C" __global__ void judge(const double* partial, const float* square, float* state,
                                 float* rate, float* push, int* improved, int* finished,
                                 int problems, int blocks, float tolerance, float floor_square) {
    const int p = blockIdx.x * blockDim.x + threadIdx.x;
    if (p >= problems) return;
    improved[p] = 0;
    if (finished[p]) return;
    double sum = square[p];
    for (int block = 0; block < blocks; ++block) sum += partial[(size_t)p * blocks + block];
    const float loss = fmaxf((float)sum, 0.0f);
    float *cap = state + 4 * p, *last = cap + 1, *best = cap + 2, *calm = cap + 3;
    if (loss < *best) {
        *best = loss;
        improved[p] = 1;
    }
    if (loss > *last) {
        push[p] = 0.0f;
        *calm = 0.0f;
        *cap = rate[p];
        rate[p] /= CUT;
    } else {
        push[p] = rate[p];
        const float least = fmaxf(loss, floor_square * square[p]);
        *calm = *last - loss <= tolerance * least ? *calm + 1.0f : 0.0f;
        finished[p] = *calm >= CALM;
        rate[p] = fminf(*cap, GROWTH * rate[p]);
        *cap = fminf(1.0f, CAP_GROWTH * *cap);
    }
    *last = loss;
}

// Carry a factor (p, size) over to the next iteration; grid (size / THREADS, p).
//
// For h, fresh (what the half-step found), last (what it found before) and ahead (from where it
// started) are three arrays, and ahead is pushed on; best is what was found. For w fresh and last
// are one array: ahead, pushed on already, is the best, and is taken back where push is 0.
extern "C" __global__ void carry(float* ahead, const float* fresh, float* last, float* best,
                                 const float* push, const int* improved, int size) {
    const int i = blockIdx.x * THREADS + threadIdx.x, problem = blockIdx.y;
    if (i >= size) return;
    const size_t at = (size_t)problem * size + i;
    const bool pushed = fresh == last;
    if (improved[problem]) best[at] = pushed ? ahead[at] : fresh[at];
    if (!pushed) {
        ahead[at] = fmaxf(fresh[at] + push[problem] * (fresh[at] - last[at]), 0.0f);
        last[at] = fresh[at];
    } else if (push[problem] == 0.0f) {
        ahead[at] = fresh[at];
    }
}
