from django.urls import path

from usage.views import accounts, receiving, setup

app_name = "usage"

urlpatterns = [
    path("", receiving.receipt_index, name="receipt-list"),
    path("receipts/<uuid:receipt_id>/", receiving.receipt_detail, name="receipt-detail"),
    path("unknown/", receiving.parked_index, name="parked-list"),
    path("unknown/map/", receiving.parked_map, name="parked-map"),
    path("unknown/discard/", receiving.parked_discard, name="parked-discard"),
    path("metrics/", setup.metric_index, name="metric-list"),
    path("features/", setup.feature_index, name="feature-list"),
    path("accounts/<uuid:account_id>/", accounts.account_usage, name="account-usage"),
    path("accounts/<uuid:account_id>/metrics/<slug:key>/", accounts.metric_history, name="metric-history"),
]
