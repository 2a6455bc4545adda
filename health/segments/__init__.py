"""Rules that make segments: their shape and words, the fields they test, and the accounts they match."""
