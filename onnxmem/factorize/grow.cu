// One more component for each of several problems, in one launch: see grow in seeds.py.
//
// A block works on one problem. Vectors lie in memory that the block has for itself. All sums run
// in a fixed order: no atomics, so the same input gives the same bits.

#ifndef THREADS
#define THREADS 1024
#endif
#ifndef WIDTH
#define WIDTH 32
#endif

#define POWER_STEPS 3
#define TINY 1.17549435e-38f

// Called in many places, and inlined in none: there are few registers for so many threads.
#define NOT_INLINED __device__ __noinline__

__shared__ float shared[THREADS];

// out (c,) = x (n,) matrix (n, c), or what it was less that. A thread has one column and shares its
// sum with the threads of the other groups, where columns are few.
NOT_INLINED void by_columns(const float* x, const float* matrix, float* out, int n, int c,
                            bool subtract) {
    const int most = min((c + WIDTH - 1) / WIDTH * WIDTH, THREADS), groups = THREADS / most;
    const int lane = threadIdx.x % most, group = threadIdx.x / most;
    for (int start = 0; start < c; start += most) {
        const int column = start + lane;
        float sum = 0.0f;
        if (column < c && group < groups) {
#pragma unroll 8
            for (int i = group; i < n; i += groups) sum += x[i] * matrix[(size_t)i * c + column];
        }
        shared[threadIdx.x] = sum;
        __syncthreads();
        if (group == 0 && column < c) {
            for (int one = 1; one < groups; ++one) sum += shared[one * most + lane];
            out[column] = subtract ? out[column] - sum : sum;
        }
        __syncthreads();
    }
}

// out (n,) = matrix (n, c) x (c,). WIDTH threads share the sum of a row.
NOT_INLINED void by_rows(const float* x, const float* matrix, float* out, int n, int c) {
    const int lane = threadIdx.x % WIDTH, group = threadIdx.x / WIDTH;
    for (int start = 0; start < n; start += THREADS / WIDTH) {
        const int row = start + group;
        float sum = 0.0f;
        if (row < n) {
#pragma unroll 8
            for (int i = lane; i < c; i += WIDTH) sum += x[i] * matrix[(size_t)row * c + i];
        }
        shared[threadIdx.x] = sum;
        __syncthreads();
        if (lane == 0 && row < n) {
            for (int one = 1; one < WIDTH; ++one) sum += shared[threadIdx.x + one];
            out[row] = sum;
        }
        __syncthreads();
    }
}

// Return the sum over all threads of the block.
NOT_INLINED float over_block(float value) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    const float sum = shared[0];
    __syncthreads();
    return sum;
}

// Return the squared norm of x (n,), or of the positive part of sign x where sign is not 0.
__device__ float square_of(const float* x, int n, float sign) {
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += THREADS) {
        const float value = sign == 0.0f ? x[i] : fmaxf(sign * x[i], 0.0f);
        sum += value * value;
    }
    return over_block(sum);
}

// What a product with a part of the residual A - w' h needs. With first (n, r) and second (r, c),
// or first (n, c) alone where r is 0, out (c,) = x A - (x inner') outer, for the k components.
struct Residual {
    const float *first, *second, *inner, *outer;
    int n, r, c, k;
};

__device__ void apply(const Residual& a, const float* x, float* between, float* mixed, float* out) {
    by_columns(x, a.first, a.r > 0 ? between : out, a.n, a.r > 0 ? a.r : a.c, false);
    if (a.r > 0) by_columns(between, a.second, out, a.r, a.c, false);
    by_rows(x, a.inner, mixed, a.k, a.n);
    by_columns(mixed, a.outer, out, a.k, a.c, true);
}

// Append one component to w (p, k, m) and h (p, k, q), giving new_w and new_h; grid (p).
//
// Of A, (h_first, h_second) makes h A' and (w_first, w_second) makes w A, with r in between; r is 0
// where A is not compressed. noise (q,). memory (p, m + q + r + k).
extern "C" __global__ void __launch_bounds__(THREADS) grow(
    const float* h_first, const float* h_second, const float* w_first, const float* w_second,
    const float* w, const float* h, const float* noise, float* memory, float* new_w, float* new_h,
    int k, int m, int q, int r) {
    const size_t p = blockIdx.x;
    const size_t of_h = r > 0 ? (size_t)q * r : (size_t)m * q, of_w = r > 0 ? (size_t)m * r : of_h;
    w += p * k * m;
    h += p * k * q;
    new_w += p * (k + 1) * m;
    new_h += p * (k + 1) * q;
    float* left = memory + p * (m + q + r + k);
    float *right = left + m, *between = right + q, *mixed = between + r;
    const Residual times = {h_first + p * of_h, h_second + p * m * r, h, w, q, r, m, k};
    const Residual transposed = {w_first + p * of_w, w_second + p * q * r, w, h, m, r, q, k};

    for (int i = threadIdx.x; i < k * m; i += THREADS) new_w[i] = w[i];
    for (int i = threadIdx.x; i < k * q; i += THREADS) new_h[i] = h[i];
    for (int i = threadIdx.x; i < q; i += THREADS) right[i] = noise[i];
    __syncthreads();
    apply(times, right, between, mixed, left);
    for (int step = 0; step < POWER_STEPS; ++step) {
        apply(transposed, left, between, mixed, right);
        const float square = square_of(right, q, 0.0f);
        const float scale = square > TINY ? 1.0f / sqrtf(square) : 0.0f;
        for (int i = threadIdx.x; i < q; i += THREADS) right[i] *= scale;
        __syncthreads();
        apply(times, right, between, mixed, left);
    }

    float of_left[2], of_right[2];
    for (int side = 0; side < 2; ++side) {
        of_left[side] = sqrtf(square_of(left, m, side == 0 ? 1.0f : -1.0f));
        of_right[side] = sqrtf(square_of(right, q, side == 0 ? 1.0f : -1.0f));
    }
    const int side = of_left[0] * of_right[0] >= of_left[1] * of_right[1] ? 0 : 1;
    const float sign = side == 0 ? 1.0f : -1.0f, size_w = of_left[side], size_h = of_right[side];
    const bool alive = size_w > 0.0f && size_h > 0.0f;
    const float scale = alive ? sqrtf(size_h / size_w) : 1.0f;
    for (int i = threadIdx.x; i < m; i += THREADS) {
        new_w[(size_t)k * m + i] = fmaxf(sign * left[i], 0.0f) * scale;
    }
    for (int i = threadIdx.x; i < q; i += THREADS) {
        new_h[(size_t)k * q + i] = fmaxf(sign * right[i], 0.0f) / scale;
    }
}
