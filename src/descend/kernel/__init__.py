"""A tape becomes numbers here: straight-line programs, interpreted or compiled to machine code."""
