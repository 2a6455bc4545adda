from django.urls import path

from portal import tickets, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_article, name="help-article"),
    path("files/", views.files, name="files"),
    path("files/<uuid:version_id>/", views.file_download, name="file-download"),
    path("tickets/", tickets.ticket_index, name="ticket-list"),
    path("tickets/suggest/", views.suggest, name="suggest"),
    path("tickets/new/", tickets.ticket_create, name="ticket-create"),
    path("tickets/files/<uuid:attachment_id>/", tickets.attachment, name="attachment"),
    path("tickets/<uuid:ticket_id>/", tickets.ticket_detail, name="ticket-detail"),
    path("tickets/<uuid:ticket_id>/answer/", tickets.answer, name="ticket-answer"),
    path("tickets/<uuid:ticket_id>/close/", tickets.close, name="ticket-close"),
    path("tickets/<uuid:ticket_id>/reopen/", tickets.reopen, name="ticket-reopen"),
    path("tickets/<uuid:ticket_id>/rate/", tickets.rate, name="ticket-rate"),
    path("<uuid:account_id>/", views.home, name="account"),
]
