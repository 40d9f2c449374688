from django.apps import AppConfig


class TargetGroupsConfig(AppConfig):
    name = "targetgroups"
    verbose_name = "Target groups"
