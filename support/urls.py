from django.urls import path

from support.views import escalations, queue, simulators, tickets, verbs

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
    path("tickets/<uuid:ticket_id>/escalate/", escalations.escalate_ticket, name="ticket-escalate"),
    path("accounts/<uuid:account_id>/escalate/", escalations.escalate_account, name="account-escalate"),
    path("escalations/", escalations.escalation_index, name="escalation-list"),
    path("escalations/<uuid:escalation_id>/", escalations.escalation_detail, name="escalation-detail"),
    path("escalations/<uuid:escalation_id>/acknowledge/", escalations.acknowledge, name="escalation-acknowledge"),
    path("escalations/<uuid:escalation_id>/begin/", escalations.begin, name="escalation-begin"),
    path("escalations/<uuid:escalation_id>/update/", escalations.post_update, name="escalation-update"),
    path("escalations/<uuid:escalation_id>/pass-on/", escalations.pass_on, name="escalation-pass-on"),
    path("escalations/<uuid:escalation_id>/owner/", escalations.hand_over, name="escalation-owner"),
    path("escalations/<uuid:escalation_id>/end/", escalations.end, name="escalation-end"),
    path("support/service-levels/", simulators.policy_list, name="policy-list"),
    path("support/service-levels/try/", simulators.try_policy, name="try-policy"),
    path("support/service-levels/clocks/", simulators.try_clocks, name="try-clocks"),
    path("support/escalations/decide/", simulators.try_decision, name="try-decision"),
]
