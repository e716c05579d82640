"""Something to minimise is made here: a cost of variables, or a model, data and a loss."""
