"""CUDA kernels that the CPU executes.

A `RawKernel` is compiled by g++ behind a few lines that give CUDA's names a meaning: the blocks of
a grid run one after the other, the threads of a block as fibres that change at each barrier: first
to last and last to first in turn, so that a missing barrier shows. A block whose threads do not
meet at the same barriers fails.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SHIM = """
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ucontext.h>
#define __global__
#define __device__ static
#define __shared__ static
#define __noinline__
#define __launch_bounds__(threads)
using std::min;
struct Index { int x, y, z; };
static Index blockIdx, gridDim, blockDim, threadIdx;
static ucontext_t host, fibres[THREADS];
static char stacks[THREADS][1 << 15];
static bool ended[THREADS];
static void** given;
static void __syncthreads() {
    const int self = threadIdx.x;
    swapcontext(&fibres[self], &host);
    threadIdx.x = self;
}
"""

DRIVER = """
static void run_thread() {{
    {name}({arguments});
    ended[threadIdx.x] = true;
}}
extern "C" int launch(int columns, int rows, int layers, void** arguments) {{
    given = arguments;
    gridDim = {{columns, rows, layers}};
    blockDim = {{THREADS, 1, 1}};
    for (int block = 0; block < columns * rows * layers; ++block) {{
        blockIdx = {{block % columns, block / columns % rows, block / columns / rows}};
        for (int t = 0; t < THREADS; ++t) {{
            getcontext(&fibres[t]);
            fibres[t].uc_stack.ss_sp = stacks[t];
            fibres[t].uc_stack.ss_size = sizeof stacks[t];
            fibres[t].uc_link = &host;
            makecontext(&fibres[t], run_thread, 0);
            ended[t] = false;
        }}
        for (int running = THREADS; running > 0;) {{
            running = 0;
            for (int turn = 0; turn < THREADS; ++turn) {{
                const int t = block % 2 ? THREADS - 1 - turn : turn;
                threadIdx.x = t;
                swapcontext(&host, &fibres[t]);
                running += !ended[t];
            }}
            if (running > 0 && running < THREADS) return 1;
        }}
    }}
    return 0;
}}
"""

TYPES = {"float": np.float32, "double": np.float64, "int": np.int32}


def parameters(code: str, name: str) -> list[str]:
    """Return the types of the parameters of a kernel."""
    (found,) = re.findall(rf"__global__ void (?:\w+\(\w+\) )?{name}\(([^)]*)\)", code)
    return [re.sub(r"\s*\w+$", "", one.strip()) for one in found.split(",")]


def built(code: str, name: str, options: tuple[str, ...]) -> ctypes.CDLL:
    """Compile a kernel; what comes back has the function `launch`."""
    types = parameters(code, name)
    arguments = ", ".join(f"*({one}*)given[{n}]" for n, one in enumerate(types))
    folder = Path(tempfile.mkdtemp(prefix="kernel"))
    source, library = folder / "kernel.cpp", folder / "kernel.so"
    source.write_text(SHIM + code + DRIVER.format(name=name, arguments=arguments))
    flags = ["-O2", "-w", "-shared", "-fPIC", *options]
    subprocess.run(["g++", *flags, str(source), "-o", str(library)], check=True)
    kernels = ctypes.CDLL(str(library))
    shutil.rmtree(folder)
    return kernels
