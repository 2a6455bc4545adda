from django.apps import AppConfig


class MyDayConfig(AppConfig):
    name = "myday"
    verbose_name = "My day"
