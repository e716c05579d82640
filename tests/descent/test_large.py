"""Trust-region models of many variables, against the secular equation solved from all eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, sparse

from descend.descent.lanczos import lowest_pair, newton_length
from descend.descent.method.large import SparseModel
from descend.descent.method.large_products import ProductModel, conjugate_gradients
from descend.descent.sparse import affordable, factorised


def exact_fall(hessian, gradient, scaling, radius):
    """The fall of the model at its lowest point in the ball, by bisection on λ (and the hard case)."""
    values, vectors = np.linalg.eigh(hessian / scaling / scaling[:, None])
    slopes = vectors.T @ (gradient / scaling)
    least = max(0.0, -values[0])

    def length(shift):
        return np.linalg.norm(slopes / (values + shift))

    if values[0] > 0 and length(0.0) <= radius:
        return 0.5 * float(slopes @ (slopes / values))
    tiny = 1e-12 * np.abs(values).max()
    if length(least + tiny) <= radius:  # the hard case: the rest of the way along the lowest direction
        step = np.where(values - values[0] <= 10 * tiny, 0.0, -slopes / (values + least + tiny))
        rest = radius**2 - step @ step
        return -float(slopes @ step + 0.5 * step @ (values * step) + 0.5 * values[0] * rest)
    high = np.linalg.norm(slopes) / radius + np.abs(values).max()
    shift = optimize.brentq(lambda s: 1 / radius - 1 / length(s), least + tiny, high + least + tiny, xtol=1e-300)
    step = -slopes / (values + shift)
    return -float(slopes @ step + 0.5 * step @ (values * step))


def problem(kind, seed, size=40):
    rng = np.random.default_rng(seed)
    half = sparse.random_array((size, size), density=3 / size, rng=rng).toarray()
    hessian = (half + half.T) * 10 ** rng.uniform(-3, 3)
    gradient = rng.standard_normal(size)
    match kind:
        case "definite":
            hessian = hessian @ hessian.T / np.abs(hessian).max() + 1e-2 * np.abs(hessian).max() * np.eye(size)
        case "hard":
            hessian = np.diag(np.r_[-1e-3, np.full(size - 1, 1e3)])
            gradient[0] = 0.0
        case "still":
            gradient[:] = 0.0
    return hessian, gradient, 10 ** rng.uniform(-1, 1, size), 10 ** rng.uniform(-2, 2)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["definite", "indefinite", "hard", "still"])
def test_sparse_step_falls_nearly_as_far_as_any(kind, seed):
    hessian, gradient, scaling, radius = problem(kind, seed)
    model = SparseModel(sparse.csc_array(hessian), gradient, scaling)
    step = model.step(radius)
    lowest = exact_fall(hessian, gradient, scaling, radius)
    assert np.linalg.norm(scaling * step.step) <= radius * (1 + 1e-12)
    assert 0.8 * lowest <= model.reduction(step.step) <= lowest * (1 + 1e-9)
    assert model.definite is (kind == "definite")
    if step.interior:
        np.testing.assert_allclose(hessian @ step.step, -gradient, rtol=0, atol=1e-10 * np.abs(gradient).max())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["definite", "indefinite", "hard", "still"])
def test_products_fall_at_least_half_as_far_where_all_bends_upward(kind, seed):
    hessian, gradient, scaling, radius = problem(kind, seed)
    model = ProductModel(lambda v: hessian @ v, gradient, scaling)
    step = model.step(radius)
    slope = gradient / scaling
    assert np.linalg.norm(scaling * step.step) <= radius * (1 + 1e-12)
    fall = model.reduction(step.step)
    lowest = exact_fall(hessian, gradient, scaling, radius)
    assert fall <= lowest * (1 + 1e-9)
    if kind == "definite":  # Yuan, Math. Program. 87 (2000)
        assert fall >= 0.5 * lowest
        assert model.definite
    elif kind == "still":
        assert fall >= 0.9 * lowest > 0
    else:  # at least the Cauchy step's
        bend = slope @ (hessian / scaling / scaling[:, None]) @ slope
        size = np.linalg.norm(slope)
        length = min(radius / size, size**2 / bend) if bend > 0 else radius / size
        assert fall >= (length * size**2 - 0.5 * length**2 * bend) * (1 - 1e-9)


def test_a_smaller_ball_takes_no_products():
    hessian, gradient, scaling, _ = problem("definite", 3)
    products = []
    model = ProductModel(lambda v: products.append(v) or hessian @ v, gradient, scaling)
    far = np.linalg.norm(scaling * model.step(1e6).step)
    done = len(products)
    for share in (0.9, 0.5, 0.1):
        fresh = ProductModel(lambda v: hessian @ v, gradient, scaling).step(share * far)
        again = model.step(share * far)
        np.testing.assert_allclose(again.step, fresh.step, rtol=1e-9)
        assert not again.interior
    assert len(products) - done == 3  # one each for the multiplier of the step


@pytest.mark.parametrize("kind", ["definite", "indefinite"])
@pytest.mark.parametrize("make", ["sparse", "products"])
def test_solve_is_the_inverse_with_the_multiplier_of_the_step(kind, make):
    hessian, gradient, scaling, radius = problem(kind, 5)
    if make == "sparse":
        model = SparseModel(sparse.csc_array(hessian), gradient, scaling)
    elif kind == "definite":
        model = ProductModel(lambda v: hessian @ v, gradient, scaling)
        radius = 1e9
    else:
        return
    step = model.step(radius).step
    right = np.arange(1.0, len(gradient) + 1)
    found = model.solve(right)
    shift = model._shift
    loose = 1e-9 if make == "sparse" else 2e-3
    rest = hessian @ found + shift * scaling**2 * found - right
    assert np.linalg.norm(rest / scaling) <= loose * np.linalg.norm(right / scaling)
    if make == "sparse" and kind == "indefinite":
        np.testing.assert_allclose(np.linalg.norm(scaling * step), radius, rtol=0.1)


@pytest.mark.parametrize("model", [SparseModel, ProductModel])
def test_held_variables_do_not_move(model):
    hessian, gradient, scaling, _ = problem("definite", 2)
    free = np.arange(len(gradient)) % 3 > 0
    first = sparse.csc_array(hessian) if model is SparseModel else (lambda v: hessian @ v)
    step = model(first, gradient, scaling, free).step(1e9).step
    assert not step[~free].any()
    inner = np.linalg.solve(hessian[np.ix_(free, free)], -gradient[free])
    np.testing.assert_allclose(step[free], inner, rtol=0, atol=5e-2 * np.abs(inner).max())


def test_lowest_direction_of_a_saddle_is_found():
    size = 2_000
    diagonal = np.full(size, 1e3)
    diagonal[1234] = -1e-3
    model = SparseModel(sparse.diags_array(diagonal).tocsc(), np.zeros(size), np.ones(size))
    lowest = model.lowest()
    assert abs(lowest[1234]) > 0.99
    assert not model.definite
    upward = SparseModel(sparse.diags_array(np.abs(diagonal)).tocsc(), np.zeros(size), np.ones(size))
    assert upward.lowest() is None
    assert upward.definite


def test_lanczos_finds_the_lowest_eigenvalue():
    size = 300
    matrix = sparse.diags_array(
        [np.full(size - 1, -1.0), np.full(size, 2.0), np.full(size - 1, -1.0)], offsets=[-1, 0, 1]
    )
    pair = lowest_pair(lambda v: matrix @ v, np.random.default_rng(1).standard_normal(size), 300)
    lowest = 2 - 2 * np.cos(np.pi / (size + 1))  # closed form
    assert lowest <= pair.value * (1 + 1e-12)
    assert pair.value == pytest.approx(lowest, rel=1e-3)
    assert pair.residual <= 2e-2 * pair.value
    np.testing.assert_allclose(pair.vector @ pair.vector, 1.0)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_factors_tell_the_sign_of_every_curvature(scale):
    size = 500
    lowest = 2 - 2 * np.cos(np.pi / (size + 1))
    matrix = (
        scale
        * sparse.diags_array(
            [np.full(size - 1, -1.0), np.full(size, 2.0), np.full(size - 1, -1.0)], offsets=[-1, 0, 1]
        ).tocsc()
    )
    assert factorised(matrix, -0.99 * lowest * scale) is not None
    assert factorised(matrix, -1.01 * lowest * scale) is None


def test_what_can_be_factorised():
    size = 3_000
    band = sparse.diags_array([np.ones(size - 1), np.ones(size), np.ones(size - 1)], offsets=[-1, 0, 1]).tolil()
    assert affordable(band.tocsc())
    band[:, 7] = 1.0
    band[7, :] = 1.0
    assert affordable(band.tocsc())  # an arrow: the crowded row is eliminated last
    assert not affordable(sparse.random_array((20_000, 20_000), density=3e-4, rng=np.random.default_rng(1)).tocsc())


def test_conjugate_gradients_on_a_matrix_of_two_eigenvalues_take_two_products():
    products = []
    diagonal = np.where(np.arange(50) % 2, 1.0, 100.0)
    right = np.random.default_rng(1).standard_normal(50)
    found = conjugate_gradients(lambda v: products.append(v) or diagonal * v, right, 1e-12)
    np.testing.assert_allclose(found, right / diagonal, rtol=1e-10)
    assert len(products) == 2


@pytest.mark.parametrize("curvatures", [(0.5, 2.0, 7.0), (-3.0, 0.5, 7.0), (-9.0, 1e-12, 2.0)])
def test_length_of_newtons_step(curvatures):
    # Three different curvatures: three steps of Lanczos's method know all.
    values = np.resize(curvatures, 60)
    gradient = np.random.default_rng(1).standard_normal(60)
    top = np.abs(values).max()
    parts = gradient / np.where(values > 0, np.maximum(values, 1e-8 * top), top)
    found = newton_length(lambda v: values * v, gradient, 1e-8, 20)
    assert found == pytest.approx(np.linalg.norm(parts), rel=1e-6)
    assert newton_length(lambda v: 0 * v, gradient, 1e-8, 20) == np.inf


@pytest.mark.parametrize("make", [SparseModel, ProductModel])
def test_a_restricted_model_is_that_of_the_free_variables(make):
    hessian, gradient, scaling, radius = problem("definite", 4)
    free = np.arange(len(gradient)) % 4 > 0
    first = sparse.csc_array(hessian) if make is SparseModel else (lambda v: hessian @ v)
    restricted = make(first, gradient, scaling).restricted(scaling, free).step(radius)
    np.testing.assert_allclose(restricted.step, make(first, gradient, scaling, free).step(radius).step, rtol=1e-12)
    assert not restricted.step[~free].any()
