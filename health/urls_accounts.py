"""Addresses of the book of business, joined into the ``accounts`` namespace by ``config.urls``."""

from django.urls import path

from health.pages import account, accounts, portfolio

urlpatterns = [
    path("portfolio/", portfolio.portfolio_page, name="portfolio"),
    path("accounts/", accounts.account_index, name="account-list"),
    path("accounts/export.csv", accounts.account_export, name="account-export"),
    path("accounts/assign/", accounts.account_assign, name="account-assign"),
    path("accounts/<uuid:account_id>/", account.overview, name="account-detail"),
    path("accounts/<uuid:account_id>/health/", account.health, name="account-health"),
    path("accounts/<uuid:account_id>/usage/", account.usage, name="account-usage"),
]
