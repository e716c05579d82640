"""Formulas with sums and products, composed and nested in all the ways that the language has."""

from __future__ import annotations

from typing import NamedTuple

# Of few binary digits, so that a text can hold them exactly.
DATA = {"c": [0.5, -1.25, 2.0, 0.375, -0.75, 1.5, 3.0, -2.5, 0.25, 1.0, -0.5, 2.25, 1.75, -1.0, 0.625, 0.875]}


class Indexed(NamedTuple):
    text: str
    sizes: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    positive: bool = False  # the point has positive entries only
    zeros: bool = False  # at more points some entries are zero

    def __str__(self):
        return self.text


EVEN = (2, 4, 6)
SQUARES = "sum(x[i]**2, i, 0, n-1)"  # touches every entry

FORMULAS = [
    # chains and neighbours; at n = 1 some ranges are empty
    Indexed(f"sum(100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2, i, 0, n-2) + {SQUARES}"),
    Indexed(f"sum((x[i-1] - 2*x[i] + x[i+1])**2, i, 1, n-2) + {SQUARES}"),
    Indexed(f"sum(cos(x[i]**2 - x[i+1]/2), i, 0, n-2) + {SQUARES}"),
    Indexed("sum(x[i]*x[i+1]*x[i+2], i, 0, n-1)"),
    Indexed(f"sum((x[i] + 10*x[i+n/2])**2, i, 0, n/2-1) + {SQUARES}", EVEN),
    # inside functions, sums of sums, products of sums
    Indexed("exp(sum(sin(x[i]), i, 0, n-1)/n)"),
    Indexed("-20*exp(-sqrt(sum(x[i]**2, i, 0, n-1)/n)/5) - exp(sum(cos(2*pi*x[i]), i, 0, n-1)/n)"),
    Indexed("sqrt(1 + sum(x[i]**2, i, 0, n-1))*log(2 + sum(x[i]**2, i, 0, n-1))"),
    Indexed("sum(x[i], i, 0, n-1)**3 - sum(x[i]**3, i, 0, n-1)"),
    Indexed("sum(exp(x[i]), i, 0, n-1)*sum((x[i] - 1)**2, i, 0, n-1)*sin(x[0])"),
    Indexed("sum(x[i], i, 0, n-1)/(1 + sum(x[i]**2, i, 0, n-1))"),
    Indexed("a*sum(x[i]**2, i, 0, n-1) + sum(a*x[i]*b, i, 0, n-1)**2 + b**2*a"),
    Indexed("x[0]**sum(x[i]**2, i, 0, n-1)", positive=True),
    Indexed("sum(x[i]**sum(x[j], j, 0, n-1), i, 0, n-1)", positive=True),
    Indexed("2**sum(x[i], i, 0, n-1) + sum(2**x[i], i, 0, n-1)"),
    Indexed("sum(x[i]**2, i, 0, n-1)**sqrt(pi)", positive=True),
    # the same sum twice, under other names of the index; sums free of the index; sums in bounds' shadow
    Indexed("sum(x[i]**2, i, 0, n-1)*exp(-sum(x[j]**2, j, 0, n-1))"),
    Indexed("sum(x[i] + sum(x[j]**2, j, 0, n-1), i, 0, n-1)**2"),
    Indexed("sum((x[i] + sum(x[j], j, 0, n-1) - (n+1))**2, i, 0, n-2) + (prod(x[j], j, 0, n-1) - 1)**2", zeros=True),
    Indexed("sum(x[0]**2, i, 0, n-1) + sum(3, i, 1, n) + sum(i**2, i, 0, n)*x[0]"),
    Indexed(f"sum(sum(x[i]*x[j], j, 0, n-1), i, 0, n-1) + {SQUARES}"),
    # running sums: prefixes, suffixes, windows
    Indexed("sum(sum(x[j], j, 0, i)**2, i, 0, n-1)"),
    Indexed("sum(sum(x[j], j, i, n-1)**2, i, 0, n-1)"),
    Indexed("sum(x[i]*sum(x[j]**3, j, 0, i-1), i, 0, n-1) + sum(x[i], i, 0, n-1)"),
    Indexed("sum(sin(x[i]*sum(exp(x[j]), j, i+1, n-1)), i, 0, n-1)"),
    Indexed("sum((x[i]*(2 + 5*x[i]**2) + 1 - sum(x[j]*(1 + x[j]), j, max(0, i-5), min(n-1, i+1)))**2, i, 0, n-1)"),
    Indexed("sum((x[i] - sum(x[j]**2, j, max(0, i-2), i))**2, i, 0, n-1)"),
    Indexed("sum((x[i] - sum(x[j]**2, j, i, min(n-1, i+2)))**2, i, 0, n-1)"),
    Indexed("sum(((n-i)*sum((j+1)*x[j]**3, j, 0, i) + (i+1)*sum((n-j)*x[j]**2, j, i+1, n-1))**2, i, 0, n-1)"),
    Indexed("sum(sum(sum(x[k], k, 0, j)**2, j, 0, i)**2, i, 0, n-1)/100"),
    Indexed("sum(exp(-sum(x[j], j, 0, i)), i, 0, n-1)*sum(x[j], j, 0, n-1)"),
    Indexed("sum(sum(x[j], j, 0, n-1-i)**2, i, 0, n-1)"),
    Indexed(f"sum(sum(x[j], j, 0, 2*i)**2, i, 0, (n-1)/2) + {SQUARES}", (1, 3, 5, 7)),
    Indexed("sum(sum(i*x[j]**2 + j*x[i], j, 0, i)*x[i], i, 0, n-1)"),  # inner bodies with the outer index
    Indexed("sum(sum(x[i-j]*x[j], j, 0, i)**2, i, 0, n-1)"),  # a convolution
    # products
    Indexed("prod(x[i], i, 0, n-1)", zeros=True),
    Indexed("prod(x[i]**2 - 1, i, 0, n-1) + prod(1 + x[i], i, 0, n-1)**2", zeros=True),
    Indexed("prod(sin(x[i]), i, 0, n-1)*sum(x[i], i, 0, n-1)", zeros=True),
    Indexed(f"prod(x[i+1] - x[i], i, 0, n-2) + {SQUARES}", zeros=True),
    Indexed("exp(-sum(x[i]**2, i, 0, n-1))*prod(cos(x[i])**2, i, 0, n-1)", zeros=True),
    Indexed("log(prod(1 + x[i]**2, i, 0, n-1))"),
    Indexed("sum(prod(x[j], j, 0, i), i, 0, n-1)", zeros=True),  # running products
    Indexed("sum(prod(x[j], j, i, n-1)**2, i, 0, n-1)", zeros=True),
    Indexed(f"sum(prod(1 - x[j], j, 0, i-1)*x[i]**2, i, 0, n-1) + {SQUARES}", zeros=True),
    Indexed("prod(sum(x[j]**2, j, 0, i) - 1, i, 0, n-1)", zeros=True),  # sums inside products
    Indexed("prod(1 + x[i]*sum(x[j], j, 0, n-1), i, 0, n-1)", zeros=True),
    Indexed("sum(prod(sum(x[k]*x[i], k, 0, j), j, 0, i), i, 0, n-1)", (1, 2, 3, 4, 5), zeros=True),
    Indexed("sum(prod(x[j] + x[i], j, 0, n-1), i, 0, n-1)", zeros=True),
    Indexed("prod(a, i, 0, n-1)*x[0] + prod(i + 1, i, 0, n-1)*x[0]**2", zeros=True),
    Indexed("sum(prod(x[j], j, 0, n-1)*x[i], i, 0, n-1)", zeros=True),
    # empty ranges
    Indexed(f"sum(x[i+5]**2, i, 0, n-6) + {SQUARES}"),
    Indexed(f"prod(x[i+5], i, 0, n-6)*{SQUARES}"),
    Indexed(f"sum(sum(x[j], j, i+3, n-1)**2 + prod(x[j], j, i+3, n-1), i, 0, n-1) + {SQUARES}", zeros=True),
    Indexed(f"exp(sum(x[i], i, n, n-1)) + {SQUARES}"),
    # strides, reversal, captured entries and scalars, the index as a number
    Indexed("sum((x[2*i+1] - x[2*i]**2)**2 + (1 - x[2*i])**2, i, 0, n-1)"),
    Indexed("sum((x[3*i] + x[3*i+1])**2*x[3*i+2], i, 0, n-1)", (1, 2, 3)),
    Indexed("sum(x[i]*x[n-1-i]**2, i, 0, n-1)"),
    Indexed("sum((x[i]**2 + x[n-1]**2)**2 - 4*x[i] + 3, i, 0, n-1) + x[0]"),
    Indexed("sum(sin(x[0] + x[i]**2 - 1), i, 0, n-1) + sin(x[n-1]**2)/2"),
    Indexed("sum((i+1)/n*x[i]**2 + x[i]**4/(i+2), i, 0, n-1)"),
    Indexed("sum(exp(-i*a/10) - x[i]*exp(-i/10), i, 0, n-1)**2"),
    Indexed("sum((a*x[i] + b)**2*i, i, 0, n-1) + a*b + x[0]"),
    Indexed("sum(a**i*b, i, 0, n-1)**2 + b**n"),
    Indexed("sum(x[i]**(i+1), i, 0, n-1)", zeros=True),
    # arrays that start at 1, two arrays, constant arrays
    Indexed("sum(i*x[i]**2, i, 1, n) + prod(x[i], i, 1, n)", zeros=True),
    Indexed("sum((x[i] - x[i-1])**2, i, 2, n) + x[1]**2"),
    Indexed("sum((x[i] - y[i]**2)**2, i, 0, n-1) + sum(x[i], i, 0, n-1)*sum(y[i], i, 0, n-1)"),
    Indexed("sum(sum(x[i]*y[j], j, 0, n), i, 0, n-1)**2 + sum(x[i]**2, i, 0, n-1)"),
    Indexed("sum((c[i]*x[i] - c[i+1])**2, i, 0, n-1) + c[n]*x[0]"),
    Indexed("sum((sum(c[i+j]*x[j], j, 0, n-1) - c[i])**2, i, 0, n)"),
    Indexed("sum(c[2*i]*x[i]**3, i, 0, n-1) + prod(c[i]*x[i], i, 0, n-1)", zeros=True),
    Indexed("sum(log(1 + exp(-c[i]*(a + b*c[i+1]))), i, 0, n)"),  # no array variable at all
    # conditions, min and max, functions with kinks, Chebyshev polynomials
    Indexed("sum(where(i < 2, x[i]**2, x[i]**3), i, 0, n-1)"),
    Indexed(f"sum(where(x[i] < 1/5, x[i]**2, sin(x[i])), i, 0, n-1) + {SQUARES}"),
    Indexed(f"sum(max(x[i], x[i+1]**2) + min(x[i], 2*x[i+1], 1/3), i, 0, n-2) + {SQUARES}"),
    Indexed("sum(abs(x[i] - 1/7)**(7/3), i, 0, n-1)"),
    Indexed(f"max(sum(x[i], i, 0, n-1), {SQUARES})"),
    Indexed("sum((sum(chebyshevt(i, 2*x[j] - 1), j, 0, n-1)/n - c[i])**2, i, 1, n)"),
    Indexed("sum(chebyshevt(i, x[i]) + chebyshevt(3, x[i])**2, i, 0, n-1)"),
    Indexed("sum(sum(where(j < i, x[i]*x[j], x[j]**2), j, 0, n-1), i, 0, n-1)"),
    Indexed("sum(tanh(sum(x[j], j, 0, i)) + erf(x[i])*atan(x[n-1-i]), i, 0, n-1)"),
]
