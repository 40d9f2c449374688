"""What a program can learn of its own token."""

from rest_framework import serializers

from accounts.scopes import SCOPES

from .parts import Shown


class Token(Shown):
    name = serializers.CharField()
    prefix = serializers.CharField()
    user = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(list(SCOPES.items())))
    expires_at = serializers.DateTimeField()
