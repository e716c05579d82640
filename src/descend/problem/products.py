"""Matrices times a direction, the Hessian or its Gauss-Newton form; how vectors become the inputs of kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from descend.expression.analyse.interval import Range
from descend.expression.analyse.ranges import ranges
from descend.expression.analyse.squares import squares
from descend.expression.derivative import Gradient, hessian_product, third_product
from descend.kernel.walk_nest import NestInterpreter
from descend.problem.layout import Layout
from descend.problem.problem import Problem
from descend.problem.squares import gauss_newton_product, residual_curvature
from descend.vector import ArrayVector, Vector

DIRECTION = "`v"  # before the name of a variable: no door accepts a backtick in a name, so it is nobody's variable


class Packing:
    """Vectors of all variables ↔ the numbers and the arrays that a kernel takes."""

    def __init__(self, layout: Layout) -> None:
        self.slices = list(layout.slices())
        self.size = len(layout.labels)
        self.numbers = tuple(name for name, extent, _ in self.slices if extent is None)
        self.all_numbers = (*self.numbers, *(DIRECTION + name for name in self.numbers))
        self.extents = {name: extent for name, extent, _ in self.slices if extent is not None}
        self.first = {
            prefix + name: extent.first for name, extent in self.extents.items() for prefix in ("", DIRECTION)
        }

    def split(self, point: Vector, prefix: str = "") -> tuple[list[float], dict[str, Any]]:
        """Return (the numbers, the arrays by name) of a point; the arrays are views."""
        import numpy as np

        entries = np.ascontiguousarray(point.entries, dtype=np.float64)
        numbers = [float(entries[place.start]) for _, extent, place in self.slices if extent is None]
        return numbers, {prefix + n: entries[place] for n, extent, place in self.slices if extent is not None}

    def join(self, slopes: list[float], arrays: Mapping[str, Any]) -> Vector:
        """Return the vector of numbers and arrays."""
        if len(arrays) == 1 and not slopes:
            return ArrayVector(next(iter(arrays.values())))
        import numpy as np

        whole = np.empty(self.size)
        numbers = iter(slopes)
        for name, extent, place in self.slices:
            whole[place] = next(numbers) if extent is None else arrays[name]
        return ArrayVector(whole)

    def zeros(self) -> dict[str, Any]:
        """Return new arrays for a gradient."""
        import numpy as np

        return {name: np.zeros(extent.length) for name, extent in self.extents.items()}


class DirectionalKernel:
    """A matrix times a direction, at a point."""

    def __init__(
        self, packing: Packing, gradient: Gradient, kernel: Any, reference: NestInterpreter, data: Mapping[str, Any]
    ) -> None:
        self.packing, self.gradient, self.kernel, self.data = packing, gradient, kernel, dict(data)
        self.reference = reference

    def __call__(self, point: Vector, direction: Vector) -> Vector:
        """Return the product."""
        inputs, read = self._inputs(point, direction)
        gradients = self.packing.zeros()
        slopes = self.kernel(inputs, read, gradients)
        return self.packing.join(slopes, gradients)

    def with_bounds(self, point: Vector, direction: Vector) -> tuple[Vector, Vector]:
        """Return the product, and bounds on the rounding errors of its entries."""
        inputs, read = self._inputs(point, direction)
        gradients = self.packing.zeros()
        slopes, errors, array_errors = self.reference.with_bounds(inputs, read, gradients)
        return self.packing.join(slopes, gradients), self.packing.join(errors, array_errors)

    def _inputs(self, point: Vector, direction: Vector) -> tuple[list[float], Mapping[str, Any]]:
        numbers, arrays = self.packing.split(point)
        more, directions = self.packing.split(direction, DIRECTION)
        return [*numbers, *more], self.data | arrays | directions


def hessian_gradient(problem: Problem, packing: Packing, _data: Mapping[str, Any]) -> Gradient:
    """Return the entries of H·v."""
    along = [problem.tape.symbol(DIRECTION + name) for name in packing.numbers]
    arrays = {name: DIRECTION + name for name in packing.extents}
    return hessian_product(problem.tape, problem.root, problem.symbols, along, arrays)


def third_gradient(problem: Problem, packing: Packing, _data: Mapping[str, Any]) -> Gradient:
    """Return the entries of ∇³f[v, v]."""
    along = [problem.tape.symbol(DIRECTION + name) for name in packing.numbers]
    arrays = {name: DIRECTION + name for name in packing.extents}
    return third_product(problem.tape, problem.root, problem.symbols, along, arrays)


def gauss_newton_gradient(problem: Problem, packing: Packing, data: Mapping[str, Any]) -> Gradient | None:
    """Return the entries of 2·JᵀWJ·v, None where the cost is not written as a sum of squares."""
    return _from_residuals(gauss_newton_product, problem, packing, data)


def residual_curvature_gradient(problem: Problem, packing: Packing, data: Mapping[str, Any]) -> Gradient | None:
    """Return the entries of 2·JᵀW·r''(v, v), None where the cost is not written as a sum of squares."""
    return _from_residuals(residual_curvature, problem, packing, data)


def _from_residuals(
    derive: Callable[..., Gradient], problem: Problem, packing: Packing, data: Mapping[str, Any]
) -> Gradient | None:
    tape = problem.tape
    arrays = {name: Range(float(array.min()), float(array.max())) for name, array in data.items() if len(array)}
    found = squares(tape, problem.root, ranges(tape, (problem.root,), arrays=arrays), frozenset(data))
    if found is None:
        return None
    along = [tape.symbol(DIRECTION + name) for name in packing.numbers]
    directions = {name: DIRECTION + name for name in packing.extents}
    return derive(tape, found.residuals, problem.symbols, along, directions)
