"""What the lab's addresses answer that is no row: described for the documentation."""

from __future__ import annotations

from rest_framework import serializers


class StandingSerializer(serializers.Serializer):
    """A score as a version gives it."""

    score = serializers.DecimalField(None, None, allow_null=True)
    shown = serializers.DecimalField(None, None, allow_null=True)
    band = serializers.CharField(allow_null=True)
    colour = serializers.CharField(allow_null=True)
    coverage_pct = serializers.DecimalField(None, None)


class ChangeSerializer(serializers.Serializer):
    account = serializers.UUIDField()
    name = serializers.CharField()
    before = StandingSerializer()
    after = StandingSerializer()
    change = serializers.DecimalField(None, None, allow_null=True)
    direction = serializers.CharField(allow_null=True)
    override = serializers.CharField(allow_null=True, help_text="The band of the override that stands")


class PreviewSerializer(serializers.Serializer):
    accounts = serializers.IntegerField()
    change_band = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    before = serializers.DictField(help_text="Accounts by colour")
    after = serializers.DictField(help_text="Accounts by colour")
    changes = ChangeSerializer(many=True)
    left_out = serializers.IntegerField(help_text="Changes beyond those shown")


class DifferenceSerializer(serializers.Serializer):
    place = serializers.ListField(child=serializers.CharField())
    field = serializers.CharField()
    kind = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class DifferencesSerializer(serializers.Serializer):
    to = serializers.IntegerField(help_text="This version's number")
    results = DifferenceSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        """The fields, with one whose name is Python's own word."""
        return {"from": serializers.IntegerField(help_text="The number it is compared with")} | super().get_fields()


class LossSerializer(serializers.Serializer):
    account = serializers.UUIDField()
    on = serializers.DateField()
    arr = serializers.JSONField(allow_null=True)
    colour_in_time = serializers.CharField(allow_null=True, help_text="While there was time to act")
    score_in_time = serializers.JSONField(allow_null=True)
    colour_last = serializers.CharField(help_text="At the last look before the loss")
    score_last = serializers.JSONField(allow_null=True)
    lead_days = serializers.IntegerField(allow_null=True, help_text="Days it had warned")


class LossesSerializer(serializers.Serializer):
    """Losses by the colour that counts as a warning."""

    yellow = LossSerializer(many=True)
    orange = LossSerializer(many=True)
    red = LossSerializer(many=True)


class MethodologyViewSerializer(StandingSerializer):
    pack = serializers.CharField()
    version = serializers.CharField()
    dimensions = serializers.DictField(help_text="{dimension: score}")
    missing = serializers.ListField(child=serializers.CharField(), help_text="Inputs nobody measured")
    red_flags = serializers.ListField(child=serializers.CharField())


class MethodologiesSerializer(serializers.Serializer):
    agree = serializers.BooleanField()
    colours = serializers.ListField(child=serializers.CharField())
    methodologies = MethodologyViewSerializer(many=True)
