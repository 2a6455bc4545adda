"""The accounts list: what was asked for, the rows, their columns, and the same as a file."""
