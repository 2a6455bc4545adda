"""What the desk did in a period, counted in the database: every figure with the tickets behind it."""
