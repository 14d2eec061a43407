// Products of small factors, for which launching a library's routine takes longer than the work.
//
// A block makes one square tile of one problem's product, from tiles of both operands in shared
// memory ("Shared Memory" in NVIDIA's CUDA C++ Programming Guide). The tiles are few and the sums
// long, so the groups of threads of a block share out each piece of the sum, and what they have
// found is added in a fixed order at the end ("sliced-K" in "Efficient GEMM in CUDA", the
// documentation of NVIDIA's CUTLASS). No atomics: the same input gives the same bits.

#ifndef THREADS
#define THREADS 256
#endif
#ifndef TILE
#define TILE 16
#endif
#ifndef DEPTH
#define DEPTH 128
#endif

#define HALF (TILE / 2)
#define LANES (HALF * HALF)
#define GROUPS (THREADS / LANES)
#define SLICE (DEPTH / GROUPS)

// out (p, k, c) = left (p, k, n) right (p, n, c), and gram (p, k, k) = left left'; k = *rank.
//
// grid (tiles, k / TILE, p): the first gram_tiles tiles of a row are of gram, the others of out. A
// thread of a group makes four values of the tile, half a tile apart from each other.
extern "C" __global__ void __launch_bounds__(THREADS) product(
    const float* left, const float* right, float* gram, float* out, const int* rank, int n, int c,
    int gram_tiles) {
    __shared__ float a[DEPTH][TILE + 1], b[DEPTH][TILE + 1], sums[GROUPS][TILE * TILE];
    const int k = *rank, row = blockIdx.y * TILE;
    const bool own = blockIdx.x < gram_tiles;
    const int column = (own ? blockIdx.x : blockIdx.x - gram_tiles) * TILE, columns = own ? k : c;
    if (row >= k || column >= columns) return;
    left += (size_t)blockIdx.z * k * n;
    right += (size_t)blockIdx.z * n * c;
    float* result = own ? gram + (size_t)blockIdx.z * k * k : out + (size_t)blockIdx.z * k * c;

    const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES;
    const int i = lane / HALF, j = lane % HALF;
    float found[2][2] = {{0.0f, 0.0f}, {0.0f, 0.0f}};
    for (int start = 0; start < n; start += DEPTH) {
#pragma unroll
        for (int t = threadIdx.x; t < DEPTH * TILE; t += THREADS) {
            const int at = start + t % DEPTH, line = t / DEPTH;
            const bool inside = at < n && row + line < k;
            a[t % DEPTH][line] = inside ? left[(size_t)(row + line) * n + at] : 0.0f;
            if (!own) continue;
            const bool inside_b = at < n && column + line < k;
            b[t % DEPTH][line] = inside_b ? left[(size_t)(column + line) * n + at] : 0.0f;
        }
#pragma unroll
        for (int t = threadIdx.x; !own && t < DEPTH * TILE; t += THREADS) {
            const int at = start + t / TILE, line = t % TILE;
            const bool inside = at < n && column + line < c;
            b[t / TILE][line] = inside ? right[(size_t)at * c + column + line] : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int step = 0; step < SLICE; ++step) {
            const int at = group * SLICE + step;
            found[0][0] += a[at][i] * b[at][j];
            found[0][1] += a[at][i] * b[at][j + HALF];
            found[1][0] += a[at][i + HALF] * b[at][j];
            found[1][1] += a[at][i + HALF] * b[at][j + HALF];
        }
        __syncthreads();
    }
    for (int part = 0; part < 4; ++part) {
        const int line = i + part / 2 * HALF, place = j + part % 2 * HALF;
        sums[group][line * TILE + place] = found[part / 2][part % 2];
    }
    __syncthreads();
    for (int t = threadIdx.x; t < TILE * TILE; t += THREADS) {
        const int line = row + t / TILE, place = column + t % TILE;
        float sum = 0.0f;
        for (int one = 0; one < GROUPS; ++one) sum += sums[one][t];
        if (line < k && place < columns) result[(size_t)line * columns + place] = sum;
    }
}
