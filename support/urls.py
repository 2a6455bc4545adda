from django.urls import path

from support.views import mail, queue, simulators, tickets, verbs

app_name = "support"

urlpatterns = [
    path("tickets/", queue.ticket_index, name="ticket-list"),
    path("tickets/export.csv", queue.ticket_export, name="ticket-export"),
    path("tickets/new/", tickets.ticket_create, name="ticket-create"),
    path("tickets/bulk/", queue.bulk, name="ticket-bulk"),
    path("tickets/files/<uuid:attachment_id>/", tickets.attachment, name="attachment"),
    path("tickets/<uuid:ticket_id>/", tickets.ticket_detail, name="ticket-detail"),
    path("tickets/<uuid:ticket_id>/edit/", tickets.ticket_edit, name="ticket-edit"),
    path("tickets/<uuid:ticket_id>/explain/", tickets.explain, name="ticket-explain"),
    path("tickets/<uuid:ticket_id>/reply/", verbs.reply, name="ticket-reply"),
    path("tickets/<uuid:ticket_id>/status/", verbs.status, name="ticket-status"),
    path("tickets/<uuid:ticket_id>/assign/", verbs.assign, name="ticket-assign"),
    path("tickets/<uuid:ticket_id>/tags/", verbs.tags, name="ticket-tags"),
    path("tickets/<uuid:ticket_id>/level/", verbs.level, name="ticket-level"),
    path("tickets/<uuid:ticket_id>/time/", verbs.spend, name="ticket-time"),
    path("tickets/<uuid:ticket_id>/relate/", verbs.relate, name="ticket-relate"),
    path("tickets/<uuid:ticket_id>/split/", verbs.split, name="ticket-split"),
    path("tickets/<uuid:ticket_id>/here/", verbs.here, name="ticket-here"),
    path("accounts/<uuid:account_id>/tickets/", queue.account_tickets, name="account-tickets"),
    path("support/service-levels/", simulators.policy_list, name="policy-list"),
    path("support/service-levels/try/", simulators.try_policy, name="try-policy"),
    path("support/service-levels/clocks/", simulators.try_clocks, name="try-clocks"),
    path("support/escalations/decide/", simulators.try_decision, name="try-decision"),
    path("support/mail/", mail.mail_list, name="mail-list"),
    path("support/mail/bulk/", mail.mail_bulk, name="mail-bulk"),
    path("support/mail/settings/", mail.mail_settings, name="mail-settings"),
    path("support/mail/<uuid:mail_id>/", mail.mail_detail, name="mail-detail"),
    path("support/mail/<uuid:mail_id>/source/", mail.mail_source, name="mail-source"),
]
