"""The article's script: SymPy differentiates the cost, lambdify makes a function of it, a Python loop walks down."""

from sympy import Symbol, diff, lambdify

x = Symbol("x")
cost_fn = x**2
initial_guess, learning_rate, max_iterations = 3, 0.1, 100

f_prime = lambdify(x, diff(cost_fn, x))
current_x = initial_guess
for _ in range(max_iterations):
    gradient = f_prime(current_x)
    new_x = current_x - learning_rate * gradient
    current_x = new_x

print("Minimum occurs at x-value:", current_x)
print("Slope at the minimum is: ", f_prime(current_x))
