"""Addresses of the book of business, joined into the ``accounts`` namespace by ``config.urls``."""

from django.urls import path

from health.pages import account, accounts, board, compare, figures, portfolio, team

urlpatterns = [
    path("portfolio/", portfolio.portfolio_page, name="portfolio"),
    path("portfolio/figures/<slug:key>/", figures.figure_page, name="portfolio-figure"),
    path("portfolio/figures/<slug:key>/export.csv", figures.figure_export, name="portfolio-figure-export"),
    path("portfolio/compare/", compare.compare_page, name="portfolio-compare"),
    path("portfolio/compare/export.csv", compare.compare_export, name="portfolio-compare-export"),
    path("portfolio/team/", team.team_page, name="portfolio-team"),
    path("portfolio/team/export.csv", team.team_export, name="portfolio-team-export"),
    path("portfolio/board-packs/", board.board_packs, name="board-packs"),
    path("portfolio/board-packs/<uuid:document_id>/", board.board_pack, name="board-pack"),
    path("portfolio/board-packs/<uuid:document_id>/progress/", board.board_progress, name="board-pack-progress"),
    path("portfolio/board-packs/<uuid:document_id>/file/", board.board_file, name="board-pack-file"),
    path("portfolio/board-packs/<uuid:document_id>/retry/", board.board_retry, name="board-pack-retry"),
    path("portfolio/board-packs/<uuid:document_id>/remove/", board.board_remove, name="board-pack-remove"),
    path("accounts/", accounts.account_index, name="account-list"),
    path("accounts/export.csv", accounts.account_export, name="account-export"),
    path("accounts/assign/", accounts.account_assign, name="account-assign"),
    path("accounts/<uuid:account_id>/", account.overview, name="account-detail"),
    path("accounts/<uuid:account_id>/health/", account.health, name="account-health"),
    path("accounts/<uuid:account_id>/usage/", account.usage, name="account-usage"),
]
