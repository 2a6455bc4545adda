"""Addresses of scorecards, triggers and receipts. The book of business is in ``health.urls_accounts``."""

from django.urls import path

from health import views
from health.pages import receipts, targets

app_name = "health"
urlpatterns = [
    path("scorecards/", views.scorecard_list, name="scorecard-list"),
    path("scorecards/<slug:key>/", views.scorecard_detail, name="scorecard-detail"),
    path("scorecards/<slug:key>/draft/", views.scorecard_draft, name="scorecard-draft"),
    path("scorecards/<slug:key>/simulator/", views.scorecard_simulator, name="scorecard-simulator"),
    path("risks/", views.risk_list_page, name="risk-list"),
    path("triggers/", views.trigger_list, name="trigger-list"),
    path("triggers/<slug:key>/", views.trigger_detail, name="trigger-detail"),
    path("triggers/<slug:key>/simulator/", views.trigger_simulator, name="trigger-simulator"),
    path("metrics/", targets.metric_report, name="metric-report"),
    path("metrics/export.csv", targets.metric_export, name="metric-export"),
    path("accounts/<uuid:account_id>/targets/", targets.account_targets, name="account-targets"),
    path("accounts/<uuid:account_id>/receipt/", receipts.receipt, name="receipt"),
    path("accounts/<uuid:account_id>/events/", views.event_record, name="event-record"),
]
