// Coordinate sweeps over the factors of many problems at once.
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

// No weights are loaded ahead of their row, or the registers would not suffice for the components.
#define KEEP_ORDER() asm volatile("" ::: "memory")

enum Mode { IN_PLACE, PUSH, MEASURE };

struct Gram {
    const float* values;  // (k, k)
#if K > 0
    const float* weights;   // (K, K): values over their diagonal, itself zero
    const float* diagonal;  // (K,)
    const float* inverse;   // (K,): one over it; zero where it is zero
#endif
    int k;
};

// Sweep over one column, of which neighbouring components are `stride` apart, from `start` to x;
// then, where `measure`, return x' gram x - 2 cross' x, in one more pass that sets nothing.
__device__ float sweep_column(const Gram& gram, const float* start, float* x, const float* cross,
                              int stride, int sweeps, bool measure) {
    const int passes = sweeps + measure, k = gram.k;
    float sum = 0.0f;
#if K > 0
    // All of the column is asked for at once: its latency is paid once, not for each component.
    float own[K], goal[K];
#pragma unroll
    for (int j = 0; j < K; ++j) {
        own[j] = j < k ? start[(size_t)j * stride] : 0.0f;
        goal[j] = j < k ? cross[(size_t)j * stride] : 0.0f;
    }
#pragma unroll
    for (int j = 0; j < K; ++j) goal[j] *= gram.inverse[j];
#pragma unroll 1
    for (int pass = 0; pass < passes; ++pass) {
#pragma unroll
        for (int j = 0; j < K; ++j) {
            // Four sums side by side, so that no addition waits for the one before.
            float part[4] = {0.0f, 0.0f, 0.0f, 0.0f};
            KEEP_ORDER();
#pragma unroll
            for (int i = 0; i < K; ++i) part[i % 4] += gram.weights[j * K + i] * own[i];
            const float step = goal[j] - ((part[0] + part[1]) + (part[2] + part[3]));
            if (pass == sweeps) {
                sum += own[j] * gram.diagonal[j] * (own[j] - step - goal[j]);
            } else {
                own[j] = fmaxf(step, 0.0f);
            }
        }
    }
#pragma unroll
    for (int j = 0; j < K; ++j) {
        if (j < k) x[(size_t)j * stride] = own[j];
    }
#else
    for (int j = 0; j < k; ++j) x[(size_t)j * stride] = start[(size_t)j * stride];
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

// One half-step on a factor (p, k, m), k = *rank; grid (columns / THREADS, p).
//
// IN_PLACE: ahead is swept. PUSH: so it is, what it has become goes to last, and ahead is pushed on
// by rate along its change. MEASURE: what ahead becomes goes to last, and the data-dependent part of
// the loss, summed over the block's columns, to partial (p, blocks). Finished problems are left.
extern "C" __global__ void __launch_bounds__(THREADS) half_step(
    float* ahead, float* last, const float* gram, const float* cross, const float* rate,
    const int* finished, double* partial, const int* rank, int m, int sweeps, int mode) {
    const int problem = blockIdx.y, k = *rank;
    if (mode != IN_PLACE && finished[problem]) return;
    const size_t offset = (size_t)problem * k * m;
    const float* matrix = gram + (size_t)problem * k * k;
#if K > 0
    __shared__ float weights[K * K];
    __shared__ float diagonal[K], inverse[K];
    for (int i = threadIdx.x; i < K * K; i += THREADS) {
        const int row = i / K, column = i % K;
        const float size = row < k ? matrix[row * k + row] : 0.0f;
        const bool inside = column < k && row != column && size > 0.0f;
        weights[i] = inside ? matrix[row * k + column] / size : 0.0f;
        if (row != column) continue;
        diagonal[row] = size;
        inverse[row] = size > 0.0f ? 1.0f / size : 0.0f;
    }
    __syncthreads();
    const Gram shared = {matrix, weights, diagonal, inverse, k};
#else
    const Gram shared = {matrix, k};
#endif
    const int column = blockIdx.x * THREADS + threadIdx.x;
    float loss = 0.0f;
    if (column < m) {
        float* x = ahead + offset + column;
        float* old = last + offset + column;
        float* found = mode == MEASURE ? old : x;
        const bool measure = mode == MEASURE;
        loss = sweep_column(shared, x, found, cross + offset + column, m, sweeps, measure);
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
