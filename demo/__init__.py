"""Demonstration workspaces: three companies with 18 months of generated, repeatable history."""
