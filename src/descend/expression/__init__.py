"""A formula is understood here: text or SymPy → tape → derivative, structure, text again."""
