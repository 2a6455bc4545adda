"""Reads behind the book of business: the accounts list, the portfolio and one account's page.

They join accounts with their current health, which is why they stand here and not in ``accounts``.
"""
