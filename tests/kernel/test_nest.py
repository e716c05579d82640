"""Loop nests: what is computed once, what shares a pass, what becomes a scan; and both evaluators on the same nests."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from descend.expression.derivative import full_gradient, hessian_product
from descend.expression.parse import parse
from descend.kernel.chunks import BLOCK
from descend.kernel.indexed import IndexedKernel
from descend.kernel.nest import LoopStatement, Operation, Pick, make_nest
from descend.kernel.walk_nest import CHUNK, NestInterpreter

CHAIN = "sum((1-x[i])^2 + 100*(x[i+1]-x[i]^2)^2, i, 0, n-2)"
TEXTS = [
    CHAIN,
    "exp(-sum(x[i]^2, i, 0, n-1)/n) + sum(cos(x[i]), i, 0, n-1)^2",
    "sum(sum(x[j], j, 0, i)^2, i, 0, n-1)",
    "sum(sum(x[j]^2, j, i, n-1)*x[i], i, 0, n-1)",
    "prod(1 + x[i]/n, i, 0, n-1)",
    "sum(prod(1 + x[j]/n, j, 0, i), i, 0, n-1)",
    "sum(sum(sin(x[i] - x[j]), j, max(0, i-2), min(n-1, i+2)), i, 0, n-1)",
    "sum((x[i] + i)^2*x[n-1-i], i, 0, n-1) + x[0]*x[n-1]",
    "sum(where(i < n/2, x[i]^2, exp(x[i])), i, 0, n-1)",
]


def nest_of(text, n):
    """The nest of value and gradient in the array x."""
    tape, root = parse(text)
    symbol = tape.symbols((root,)).get("n")
    if symbol is not None:
        (root,) = tape.substitute([root], {symbol: tape.constant(n)})
    found = full_gradient(tape, root, [], ["x"])
    return tape, root, make_nest(tape, [root], found.scatters, [])


def evaluate(evaluator, x, **more):
    gradient = np.zeros(len(x))
    (value,) = evaluator([], {"x": x, **more}, {"x": gradient})
    return value, gradient


def loops(statements):
    found = []
    for statement in statements:
        if isinstance(statement, LoopStatement):
            found += [statement, *loops(statement.body)]
    return found


class TestStructure:
    def test_value_and_gradient_of_a_chain_take_one_pass(self):
        _, _, nest = nest_of(CHAIN, 1000)
        (loop,) = loops(nest.statements)
        assert len(loop.reductions) == 1
        assert len(loop.stores) == 2
        assert loop.leaf

    def test_what_does_not_depend_on_the_index_is_computed_outside(self):
        tape, root = parse("sum(x[i]*exp(a*b), i, 0, 9)")
        nest = make_nest(tape, [root], (), ["a", "b"])
        (loop,) = loops(nest.statements)
        outside = [s.instruction.op for s in nest.statements if isinstance(s, Operation)]
        inside = [s.instruction.op for s in loop.body if isinstance(s, Operation)]
        assert "exp" in outside
        assert inside == ["mul"]

    def test_an_inner_sum_without_the_outer_index_is_one_loop_of_its_own(self):
        _, _, nest = nest_of("sum((x[i] - sum(x[j], j, 0, n-1)/n)^2, i, 0, n-1)", 100)
        assert all(loop.leaf for loop in loops(nest.statements))

    @pytest.mark.parametrize("text", [TEXTS[2], TEXTS[3]])
    def test_running_sums_are_scans(self, text):
        _, _, nest = nest_of(text, 500)
        found = loops(nest.statements)
        assert all(loop.leaf for loop in found)
        assert any(r.scan is not None for loop in found for r in loop.reductions)
        assert any(isinstance(s, Pick) for loop in found for s in loop.body)
        assert sum(loop.rounds for loop in found) <= 8 * 500

    def test_windows_stay_loops(self):
        _, _, nest = nest_of(TEXTS[6], 100)
        assert not all(loop.leaf for loop in loops(nest.statements))
        assert nest.scratch == 0

    def test_products_need_no_division(self):
        _, _, nest = nest_of(TEXTS[4], 50)
        assert all(loop.leaf for loop in loops(nest.statements))
        divisions = [o for loop in loops(nest.statements) for o in loop.body if getattr(o, "instruction", None)]
        assert all(o.instruction.op != "div" or o.instruction.args[0] != o.slot for o in divisions)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("n", [2, 3, 7, 40])
class TestBothEvaluators:
    def test_they_agree(self, text, n):
        _, _, nest = nest_of(text, n)
        x = np.random.default_rng(n).uniform(-1, 1, n)
        value, gradient = evaluate(IndexedKernel(nest, {"x": 0}), x)
        other, slopes = evaluate(NestInterpreter(nest, {"x": 0}), x)
        assert value == pytest.approx(other, rel=1e-14, abs=1e-14)
        assert gradient == pytest.approx(slopes, rel=1e-13, abs=1e-14)

    def test_the_bounds_hold(self, text, n):
        _, _, nest = nest_of(text, n)
        x = np.random.default_rng(n).uniform(-1, 1, n)
        gradient = np.zeros(n)
        (value,), (error,), errors = NestInterpreter(nest, {"x": 0}).with_bounds([], {"x": x}, {"x": gradient})
        compiled, slopes = evaluate(IndexedKernel(nest, {"x": 0}), x)
        assert abs(compiled - value) <= 2 * error
        assert (np.abs(slopes - gradient) <= 2 * errors["x"]).all()
        assert error < 1e-10 * max(1, abs(value))

    def test_hessian_products(self, text, n):
        tape, root, nest = nest_of(text, n)
        found = hessian_product(tape, root, [], [], {"x": "v"})
        products = make_nest(tape, [], found.scatters, [])
        rng = np.random.default_rng(n)
        x, v = rng.uniform(-1, 1, n), rng.normal(size=n)
        results = []
        for evaluator in (IndexedKernel, NestInterpreter):
            result = np.zeros(n)
            evaluator(products, {"x": 0, "v": 0})([], {"x": x, "v": v}, {"x": result})
            results.append(result)
        step = 1e-6
        kernel = IndexedKernel(nest, {"x": 0})
        differences = (evaluate(kernel, x + step * v)[1] - evaluate(kernel, x - step * v)[1]) / (2 * step)
        assert results[0] == pytest.approx(results[1], rel=1e-12, abs=1e-12)
        assert results[0] == pytest.approx(differences, rel=1e-5, abs=1e-5 * max(1, np.abs(results[0]).max()))


class TestLongLoops:
    @pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5, CHUNK + 3])
    @pytest.mark.parametrize("text", TEXTS[:5])
    def test_blocks_join(self, text, n):
        _, _, nest = nest_of(text, n)
        x = np.random.default_rng(0).uniform(-1, 1, n)
        value, gradient = evaluate(IndexedKernel(nest, {"x": 0}), x)
        other, slopes = evaluate(NestInterpreter(nest, {"x": 0}), x)
        assert value == pytest.approx(other, rel=1e-11)
        assert gradient == pytest.approx(slopes, rel=1e-10, abs=1e-12)

    def test_a_sum_is_exact_to_its_bound(self):
        n = 100_000
        _, _, nest = nest_of("sum(x[i], i, 0, n-1)", n)
        x = np.random.default_rng(0).normal(size=n)
        exact = sum(map(Fraction, x.tolist()))
        (_,), (error,), _ = NestInterpreter(nest, {"x": 0}).with_bounds([], {"x": x}, {"x": np.zeros(n)})
        for evaluator in (IndexedKernel(nest, {"x": 0}), NestInterpreter(nest, {"x": 0})):
            assert abs(Fraction(evaluate(evaluator, x)[0]) - exact) <= error

    def test_early_large_terms_are_charged_for_all_that_follow(self):
        """1e16 + 0.3 + 0.3 + ...: each addition rounds at the size of the sum, also in loops that are not innermost."""
        n = 2000
        _, _, nest = nest_of("sum(x[i]*sum(x[j]^0, j, i, i), i, 0, n-1)", n)
        x = np.full(n, 0.3)
        x[0] = 1e16
        exact = sum(map(Fraction, x.tolist()))
        gradient = np.zeros(n)
        (value,), (error,), _ = NestInterpreter(nest, {"x": 0}).with_bounds([], {"x": x}, {"x": gradient})
        assert abs(Fraction(value) - exact) > 100
        for found in (value, evaluate(IndexedKernel(nest, {"x": 0}), x)[0]):
            assert abs(Fraction(found) - exact) <= error

    def test_factors_are_taken_in_their_order(self):
        """Reassociated, a product of large and small factors would overflow in part."""
        _, _, nest = nest_of("prod(x[i], i, 0, n-1)", 1000)
        x = np.array([1e200, 1e-200] * 500)
        for evaluator in (IndexedKernel(nest, {"x": 0}), NestInterpreter(nest, {"x": 0})):
            assert evaluate(evaluator, x)[0] == pytest.approx(1.0, rel=1e-10)


class TestTrouble:
    def test_not_a_number_comes_through(self):
        _, _, nest = nest_of("sum(log(x[i])^2, i, 0, 9)", 10)
        x = np.linspace(-1, 8, 10)
        value, gradient = evaluate(IndexedKernel(nest, {"x": 0}), x)
        assert np.isnan(value)
        assert np.isnan(gradient[0])
        assert np.isfinite(gradient[2:]).all()

    def test_the_first_bad_operation_is_named(self):
        tape, _, nest = nest_of("sum(log(x[i])^2, i, 0, 9)", 10)
        bad = NestInterpreter(nest, {"x": 0}).first_bad([], {"x": np.linspace(-1, 8, 10)}, {"x": np.zeros(10)})
        assert tape[bad.origin].op == "log"

    def test_a_kernel_may_be_called_from_several_threads(self):
        from concurrent.futures import ThreadPoolExecutor

        _, _, nest = nest_of(TEXTS[2], 2000)
        kernel = IndexedKernel(nest, {"x": 0})
        points = [np.random.default_rng(k).uniform(-1, 1, 2000) for k in range(8)]
        alone = [evaluate(kernel, x) for x in points]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda x: evaluate(kernel, x), points * 4))
        for k, (value, gradient) in enumerate(together):
            assert value == alone[k % 8][0]
            assert (gradient == alone[k % 8][1]).all()
