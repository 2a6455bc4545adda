"""Addresses of scorecards, triggers and receipts. The book of business is in ``health.urls_accounts``."""

from django.urls import path

from health import views
from health.pages import (
    automation,
    backtests,
    coverage,
    receipts,
    scorecards,
    targets,
    trigger_editor,
    triggers,
    versions,
)

app_name = "health"
urlpatterns = [
    path("scorecards/", scorecards.scorecard_list, name="scorecard-list"),
    path("scorecards/new/", scorecards.scorecard_create, name="scorecard-create"),
    path("scorecards/<slug:key>/", scorecards.scorecard_detail, name="scorecard-detail"),
    path("scorecards/<slug:key>/edit/", scorecards.scorecard_edit, name="scorecard-edit"),
    path("scorecards/<slug:key>/draft/", scorecards.scorecard_draft, name="scorecard-draft"),
    path("scorecards/<slug:key>/compare/", scorecards.scorecard_compare, name="scorecard-compare"),
    path("scorecards/<slug:key>/use/", scorecards.scorecard_use, name="scorecard-use"),
    path("scorecards/<slug:key>/coverage/", coverage.scorecard_coverage, name="scorecard-coverage"),
    path("scorecards/<slug:key>/preview/", versions.version_preview, name="scorecard-preview"),
    path("scorecards/<slug:key>/preview.csv", versions.version_preview_csv, name="scorecard-preview-csv"),
    path("scorecards/<slug:key>/versions/<int:number>/", versions.version_act, name="scorecard-version"),
    path("scorecards/<slug:key>/simulator/", views.scorecard_simulator, name="scorecard-simulator"),
    path("backtests/", backtests.backtest_list, name="backtest-list"),
    path("backtests/<uuid:backtest_id>/", backtests.backtest_detail, name="backtest-detail"),
    path("backtests/<uuid:backtest_id>/progress/", backtests.backtest_progress, name="backtest-progress"),
    path("backtests/<uuid:backtest_id>/losses.csv", backtests.backtest_losses_csv, name="backtest-losses"),
    path("backtests/<uuid:backtest_id>/warnings.csv", backtests.backtest_warnings_csv, name="backtest-warnings"),
    path("risks/", views.risk_list_page, name="risk-list"),
    path("automation/dry-runs/", automation.dry_run_list, name="dry-run-list"),
    path("automation/dry-runs/<uuid:dry_run_id>/", automation.dry_run, name="dry-run"),
    path("automation/dry-runs/<uuid:dry_run_id>/progress/", automation.dry_run_progress, name="dry-run-progress"),
    path("automation/dry-runs/<uuid:dry_run_id>/export.csv", automation.dry_run_csv, name="dry-run-csv"),
    path("automation/runs/", automation.run_log, name="run-log"),
    path("automation/runs/<uuid:run_id>/", automation.run_detail, name="run-detail"),
    path("automation/limits/", triggers.policy, name="automation-limits"),
    path("automation/triggers/new/", trigger_editor.trigger_new, name="trigger-new"),
    path("triggers/", triggers.trigger_list, name="trigger-list"),
    path("triggers/<slug:key>/", triggers.trigger_detail, name="trigger-detail"),
    path("triggers/<slug:key>/edit/", trigger_editor.trigger_edit, name="trigger-edit"),
    path("triggers/<slug:key>/simulator/", views.trigger_simulator, name="trigger-simulator"),
    path("metrics/", targets.metric_report, name="metric-report"),
    path("metrics/export.csv", targets.metric_export, name="metric-export"),
    path("accounts/<uuid:account_id>/targets/", targets.account_targets, name="account-targets"),
    path("accounts/<uuid:account_id>/receipt/", receipts.receipt, name="receipt"),
    path("accounts/<uuid:account_id>/events/", views.event_record, name="event-record"),
]
