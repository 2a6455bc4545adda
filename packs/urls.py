from django.urls import path

from packs.views import calendars, editing, reading

app_name = "packs"

urlpatterns = [
    path("", reading.methodology, name="methodology"),
    path("calendars/", calendars.simulator, name="calendar-simulator"),
    path("install/<slug:key>/", editing.install, name="install"),
    path("items/<uuid:item_id>/", editing.item, name="item-edit"),
    path("items/<uuid:item_id>/reset/", editing.reset, name="item-reset"),
    path("<slug:pack>/", reading.pack, name="pack"),
    path("<slug:pack>/<slug:section>/", reading.section, name="section"),
]
