"""Trigger rules as people work on them: the editor's form, the checker's findings."""
