"""C, compiled on the fly: gcc -O3 -march=native -ffast-math, vector functions from libmvec, threads from OpenMP."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases.common import Work

FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC")
DRIVER = """
#include <math.h>
#include <string.h>
#include <omp.h>
%s
void run(const double *const *x, const double *b, long rows, int threads, int outputs, double *out) {
  memset(out, 0, 8 * outputs);
  #pragma omp parallel num_threads(threads)
  {
    long k = omp_get_thread_num();
    double own[outputs];
    part(x, b, rows * k / threads, rows * (k + 1) / threads, own);
    #pragma omp critical
    for (int j = 0; j < outputs; j++) out[j] += own[j];
  }
}
"""


def unrolled(columns: int, parameters: int, slopes: Sequence[str], row: str) -> str:
    """Return `part`: a loop with a scalar for each column, parameter and sum.

    `row` computes ``loss`` and whatever `slopes`, one for each parameter, mention.
    """
    sums = ["cost", *(f"g{k}" for k in range(parameters))]
    lines = [
        "static void part(const double *const *x, const double *b, long first, long last, double *out) {",
        *(f"  const double *restrict p{j} = x[{j}];" for j in range(columns)),
        *(f"  const double b{k} = b[{k}];" for k in range(parameters)),
        f"  double {', '.join(f'{s} = 0' for s in sums)};",
        f"  #pragma omp simd reduction(+: {', '.join(sums)})",
        "  for (long i = first; i < last; i++) {",
        *(f"    const double x{j} = p{j}[i];" for j in range(columns)),
        f"    {row}",
        "    cost += loss;",
        *(f"    g{k} += {slope};" for k, slope in enumerate(slopes)),
        "  }",
        *(f"  out[{k}] = {s};" for k, s in enumerate(sums)),
        "}",
    ]
    return "\n".join(lines)


def wide(columns: int, at_once: int, row: str) -> str:
    """Return `part` for a linear predictor of many columns: a block of rows at a time, `at_once` columns at a time.

    `row` computes ``loss`` and its slope ``d`` from ``z`` and ``y``; y is the column after the others.
    """
    some = range(at_once)
    pointers = " ".join(f"const double *restrict p{k} = x[j + {k}] + first;" for k in some)
    terms = " + ".join(f"b{k} * p{k}[i]" for k in some)
    factors = " ".join(f"const double b{k} = b[j + {k}];" for k in some)
    sums = ", ".join(f"s{k}" for k in some)
    zeros = ", ".join(f"s{k} = 0" for k in some)
    added = " ".join(f"s{k} += d * p{k}[i];" for k in some)
    stored = " ".join(f"out[1 + j + {k}] += s{k};" for k in some)
    return f"""
static void part(const double *const *x, const double *b, long first, long last, double *out) {{
  double slope[1024], cost = 0;
  memset(out, 0, 8 * {columns + 1});
  for (; first < last; first += 1024) {{
    const long count = last - first < 1024 ? last - first : 1024;
    const double *restrict responses = x[{columns}] + first;
    memset(slope, 0, sizeof slope);
    for (int j = 0; j < {columns}; j += {at_once}) {{
      {pointers}
      {factors}
      #pragma omp simd
      for (long i = 0; i < count; i++) slope[i] += {terms};
    }}
    #pragma omp simd reduction(+: cost)
    for (long i = 0; i < count; i++) {{
      const double z = slope[i], y = responses[i];
      {row}
      cost += loss;
      slope[i] = d;
    }}
    for (int j = 0; j < {columns}; j += {at_once}) {{
      {pointers}
      double {zeros};
      #pragma omp simd reduction(+: {sums})
      for (long i = 0; i < count; i++) {{ const double d = slope[i]; {added} }}
      {stored}
    }}
  }}
  out[0] = cost;
}}
"""


def gcc_work(part: str, columns: Sequence[Any], at: Any, threads: int) -> Work:
    """Compile `part` and return its call over all rows; raises `ImportError` where there is no gcc, or it fails."""
    function = _compiled(DRIVER % part)
    table = (ctypes.c_void_p * len(columns))(*(c.ctypes.data for c in columns))
    rows, outputs = len(columns[0]), 1 + at.size
    point, out = np.array(at, dtype=float).ravel(), np.empty(outputs)
    kept = (columns, point)

    def work(_kept: object = kept) -> Any:
        function(table, point.ctypes.data, rows, threads, outputs, out.ctypes.data)
        return out[0], out[1:]

    return work


def _compiled(text: str) -> Any:
    gcc = shutil.which("gcc")
    if gcc is None:
        raise ImportError("there is no gcc")
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "part.c"), Path(folder, "part.so")
        source.write_text(text, encoding="ascii")
        for libraries in (("-lmvec", "-lm"), ("-lm",)):  # libmvec is glibc's
            command = [gcc, *FLAGS, str(source), "-o", str(library), *libraries]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                break
        else:
            raise ImportError(f"gcc failed: {done.stderr.strip().splitlines()[-1]}")
        function = ctypes.CDLL(str(library)).run
    pointer = ctypes.c_void_p
    function.argtypes = [pointer, pointer, ctypes.c_long, ctypes.c_int, ctypes.c_int, pointer]
    function.restype = None
    return function
