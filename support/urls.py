from django.urls import path

from support.views import simulators

app_name = "support"

urlpatterns = [
    path("service-levels/", simulators.policy_list, name="policy-list"),
    path("service-levels/try/", simulators.try_policy, name="try-policy"),
    path("service-levels/clocks/", simulators.try_clocks, name="try-clocks"),
    path("escalations/decide/", simulators.try_decision, name="try-decision"),
]
