from django.urls import path

from packs.views import calendars, comparing, editing, reading

app_name = "packs"

urlpatterns = [
    path("", reading.methodology, name="methodology"),
    path("accounts/<uuid:account_id>/", comparing.account_methodologies, name="account-methodologies"),
    path("calendars/", calendars.simulator, name="calendar-simulator"),
    path("install/<slug:key>/", editing.install, name="install"),
    path("items/<uuid:item_id>/", editing.item, name="item-edit"),
    path("items/<uuid:item_id>/reset/", editing.reset, name="item-reset"),
    path("<slug:pack>/", reading.pack, name="pack"),
    path("<slug:pack>/<slug:section>/", reading.section, name="section"),
]
