"""Published recursions of first-order methods, written from the papers in 50-digit arithmetic.

Each takes the slope function, the start (a list, one entry a variable), the number of steps and the settings, and
returns the points that are looked at.
Nothing is shared with the package: no import, no helper, and the powers and products of the papers are taken as such.
"""

from __future__ import annotations

import mpmath as mp

DIGITS = 50


def exact(values):
    return [mp.mpf(v) for v in values]


def length(v):
    return mp.sqrt(mp.fsum(a * a for a in v))


def heavy_ball(slope, start, steps, rate, momentum):
    """Polyak 1964, (9): x_{n+1} = x_n - α f'(x_n) + β (x_n - x_{n-1})."""
    path = [exact(start)]
    for n in range(steps):
        x, before, g = path[-1], path[max(n - 1, 0)], slope(path[-1])
        path.append([a - mp.mpf(rate) * b + mp.mpf(momentum) * (a - c) for a, b, c in zip(x, g, before, strict=True)])
    return path


def nesterov(slope, start, steps, rate, momentum=None, *, restart=False):
    """Beck & Teboulle 2009, (4.1)-(4.3), with O'Donoghue & Candès 2015, 3.2: restart by the gradient."""
    x, y, t = exact(start), exact(start), mp.mpf(1)
    path = [y]
    for _ in range(steps):
        g = slope(y)
        new = [a - mp.mpf(rate) * b for a, b in zip(y, g, strict=True)]
        later = (1 + mp.sqrt(1 + 4 * t**2)) / 2
        beta = (t - 1) / later if momentum is None else mp.mpf(momentum)
        if restart and mp.fsum(b * (n - o) for b, n, o in zip(g, new, x, strict=True)) > 0:
            later, beta = mp.mpf(1), mp.mpf(0)
        y = [n + beta * (n - o) for n, o in zip(new, x, strict=True)]
        x, t = new, later
        path.append(y)
    return path


def adagrad(slope, start, steps, rate, epsilon=0):
    """Duchi, Hazan & Singer 2011, figure 1 with ψ diagonal: s_{t,i} is the length of the i-th slopes until t."""
    path, slopes = [exact(start)], []
    for _ in range(steps):
        slopes.append(slope(path[-1]))
        lengths = [length(column) for column in zip(*slopes, strict=True)]
        path.append([
            a - (mp.mpf(rate) * g / (mp.mpf(epsilon) + s) if g else 0)
            for a, g, s in zip(path[-1], slopes[-1], lengths, strict=True)
        ])  # fmt: skip
    return path


def rmsprop(slope, start, steps, rate, decay, epsilon=0):
    """Tieleman & Hinton 2012, slide 29: MeanSquare(w, t) = 0.9 MeanSquare(w, t-1) + 0.1 (∂E/∂w)²."""
    x, mean = exact(start), [mp.mpf(0)] * len(start)
    path = [x]
    for _ in range(steps):
        g = slope(x)
        mean = [mp.mpf(decay) * m + (1 - mp.mpf(decay)) * a**2 for m, a in zip(mean, g, strict=True)]
        x = [
            a - (mp.mpf(rate) * b / (mp.sqrt(m) + mp.mpf(epsilon)) if b else 0)
            for a, b, m in zip(x, g, mean, strict=True)
        ]
        path.append(x)
    return path


def adadelta(slope, start, steps, decay, epsilon):
    """Zeiler 2012, algorithm 1."""
    rho, eps = mp.mpf(decay), mp.mpf(epsilon)
    x, eg, ex = exact(start), [mp.mpf(0)] * len(start), [mp.mpf(0)] * len(start)
    path = [x]
    for _ in range(steps):
        g = slope(x)
        eg = [rho * e + (1 - rho) * a**2 for e, a in zip(eg, g, strict=True)]
        delta = [-mp.sqrt(u + eps) / mp.sqrt(e + eps) * a for u, e, a in zip(ex, eg, g, strict=True)]
        ex = [rho * u + (1 - rho) * d**2 for u, d in zip(ex, delta, strict=True)]
        x = [a + d for a, d in zip(x, delta, strict=True)]
        path.append(x)
    return path


def weighted(slopes, beta):
    """Closed form of a moment that starts at zero: (1 - β) Σ β^{t-i} g_i (Kingma & Ba 2015, (1))."""
    b, last = mp.mpf(beta), len(slopes) - 1
    return [
        (1 - b) * mp.fsum(b ** (last - i) * g for i, g in enumerate(column)) for column in zip(*slopes, strict=True)
    ]


def adam(slope, start, steps, rate, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=None):
    """Kingma & Ba 2015, algorithm 1; with `weight_decay`, Loshchilov & Hutter 2019, algorithm 2 (η = 1).

    `rate` is a number or a function of the step 0, 1, 2, ...; then η_t is its share of the first.
    """
    path, slopes = [exact(start)], []
    for t in range(1, steps + 1):
        slopes.append(slope(path[-1]))
        m = [v / (1 - mp.mpf(beta1) ** t) for v in weighted(slopes, beta1)]
        squares = [[g**2 for g in gradient] for gradient in slopes]
        v = [s / (1 - mp.mpf(beta2) ** t) for s in weighted(squares, beta2)]
        alpha = mp.mpf(rate(0)) if callable(rate) else mp.mpf(rate)
        eta = mp.mpf(rate(t - 1)) / alpha if callable(rate) else mp.mpf(1)
        decay = mp.mpf(weight_decay or 0)
        path.append([
            a - eta * (alpha * b / (mp.sqrt(c) + mp.mpf(epsilon)) + decay * a)
            for a, b, c in zip(path[-1], m, v, strict=True)
        ])  # fmt: skip
    return path


def amsgrad(slope, start, steps, rate, beta1=0.9, beta2=0.999, epsilon=0):
    """Reddi, Kale & Kumar 2018, algorithm 2."""
    path, slopes, largest = [exact(start)], [], [mp.mpf(0)] * len(start)
    for _ in range(steps):
        slopes.append(slope(path[-1]))
        m = weighted(slopes, beta1)
        largest = [
            max(a, b) for a, b in zip(largest, weighted([[g**2 for g in s] for s in slopes], beta2), strict=True)
        ]
        path.append([
            a - (mp.mpf(rate) * b / (mp.sqrt(c) + mp.mpf(epsilon)) if b else 0)
            for a, b, c in zip(path[-1], m, largest, strict=True)
        ])  # fmt: skip
    return path


def nadam(slope, start, steps, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Dozat 2016, algorithm 2, with the schedule of its section 3: μ_t = μ (1 - 0.96^{t/250} / 2)."""

    def mu(t):
        return mp.mpf(beta1) * (1 - mp.mpf("0.96") ** (mp.mpf(t) / 250) / 2)

    x, m, slopes = exact(start), [mp.mpf(0)] * len(start), []
    path = [x]
    for t in range(1, steps + 1):
        g = slope(x)
        slopes.append([a**2 for a in g])
        m = [mu(t) * b + (1 - mu(t)) * a for a, b in zip(g, m, strict=True)]
        until, beyond = (mp.fprod(mu(i) for i in range(1, n + 1)) for n in (t, t + 1))
        ahead = [mu(t + 1) * b / (1 - beyond) + (1 - mu(t)) * a / (1 - until) for a, b in zip(g, m, strict=True)]
        v = [s / (1 - mp.mpf(beta2) ** t) for s in weighted(slopes, beta2)]
        x = [a - mp.mpf(rate) * b / (mp.sqrt(c) + mp.mpf(epsilon)) for a, b, c in zip(x, ahead, v, strict=True)]
        path.append(x)
    return path


def lion(slope, start, steps, rate, beta1=0.9, beta2=0.99, weight_decay=0):
    """Chen et al. 2023, program 1 and algorithm 2."""
    x, m = exact(start), [mp.mpf(0)] * len(start)
    path = [x]
    for _ in range(steps):
        g = slope(x)
        c = [mp.mpf(beta1) * b + (1 - mp.mpf(beta1)) * a for a, b in zip(g, m, strict=True)]
        x = [a - mp.mpf(rate) * (mp.sign(b) + mp.mpf(weight_decay) * a) for a, b in zip(x, c, strict=True)]
        m = [mp.mpf(beta2) * b + (1 - mp.mpf(beta2)) * a for a, b in zip(g, m, strict=True)]
        path.append(x)
    return path


def adgd(slope, start, steps, first):
    """Malitsky & Mishchenko 2020, algorithm 1; `first` is λ_0."""
    lengths = [mp.mpf(first)]
    path = [exact(start)]
    slopes = [slope(path[0])]
    path.append([a - lengths[0] * b for a, b in zip(path[0], slopes[0], strict=True)])
    for k in range(1, steps):
        slopes.append(slope(path[k]))
        moved = length([a - b for a, b in zip(path[k], path[k - 1], strict=True)])
        bent = length([a - b for a, b in zip(slopes[k], slopes[k - 1], strict=True)])
        choices = [moved / (2 * bent)]
        if k > 1:  # θ_0 = ∞
            choices.append(mp.sqrt(1 + lengths[-1] / lengths[-2]) * lengths[-1])
        lengths.append(min(choices))
        path.append([a - lengths[k] * b for a, b in zip(path[k], slopes[k], strict=True)])
    return path[: steps + 1]


def dog(slope, start, steps, first):
    """Ivgi, Hinder & Carmon 2023, (DoG) without the ε under the root; `first` is r_ε."""
    path, slopes = [exact(start)], []
    for _ in range(steps):
        slopes.append(slope(path[-1]))
        furthest = max([mp.mpf(first)] + [length([a - b for a, b in zip(p, path[0], strict=True)]) for p in path])
        eta = furthest / mp.sqrt(mp.fsum(g**2 for gradient in slopes for g in gradient))
        path.append([a - eta * b for a, b in zip(path[-1], slopes[-1], strict=True)])
    return path
