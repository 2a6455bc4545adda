"""``files``: documents of accounts."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.files import add_file, add_version, delete_file, restore_file, update_file
from accounts.choices import Visibility
from accounts.downloads import download
from accounts.errors import RuleViolated
from accounts.fields import FieldError, choice, identifier, read_row, text, yes_no
from accounts.models import AccountFile, FileVersion
from accounts.uploads import KINDS, MOST_BYTES, Checked, check
from api.parsers import UploadParser
from api.schema import IF_MATCH
from api.scope import editable_account
from api.serializers import QuerySerializer, RowSerializer, invalid, record
from api.views import Endpoint

SAID = {
    "title": text(200),
    "description": text(500),
    "tags": text(450, help="Separated by commas"),
    "visibility": choice(Visibility.values),
}
FileRecord = record("FileRecord", {**SAID, "deleted": yes_no(help="true deletes it, false brings it back")})


class FileSerializer(RowSerializer):
    versions = serializers.ListField(
        child=serializers.DictField(), read_only=True, help_text="Newest first: number, name, size, sha256, uploaded_at"
    )

    class Meta:
        model = AccountFile
        fields = """id account title description tags visibility created_by created_at updated_at deleted_at version
            versions""".split()
        paths = {"created_by": "created_by__email"}
        extended = ("versions",)
        versioned = True

    def extend(self, rows: Any) -> None:
        """Put ``versions`` on every row. One query."""
        found: dict[Any, list[dict[str, Any]]] = {row["_pk"]: [] for row in rows}
        said = ("number", "name", "content_type", "size", "sha256", "uploaded_at")
        kept = FileVersion.objects.filter(document__in=list(found)).order_by("-number")
        for version in kept.values("document_id", *said):
            found[version.pop("document_id")].append(version)
        for row in rows:
            row["versions"] = found[row["_pk"]]


class FileQuery(QuerySerializer):
    account = serializers.UUIDField()
    deleted = serializers.BooleanField(source="deleted_at__isnull", help_text="Deleted ones; others if absent")
    visibility = serializers.ChoiceField(Visibility.choices)


class FileUpload(serializers.Serializer):
    """The parts of the form."""

    file = serializers.FileField(help_text=f"At most 10 MB: {', '.join(KINDS)}")
    account = serializers.UUIDField()
    title = serializers.CharField(max_length=200, required=False, help_text="The file's own name if absent")
    description = serializers.CharField(max_length=500, required=False)
    tags = serializers.CharField(max_length=450, required=False, help_text="Separated by commas")
    visibility = serializers.ChoiceField(Visibility.choices, default=Visibility.INTERNAL.value)


class VersionUpload(serializers.Serializer):
    """The part of the form."""

    file = serializers.FileField(help_text=f"At most 10 MB: {', '.join(KINDS)}")


class _FileParser(UploadParser):
    limit = MOST_BYTES + 64 * 1024


class FileList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "accounts.edit"}
    serializer_class = FileSerializer
    query_class = FileQuery
    parser_classes = [_FileParser]
    ordering_fields = {"id": "pk", "updated_at": "updated_at", "title": "title"}
    ordering = "-updated_at"

    @extend_schema(summary="List files of accounts")
    def get(self, request: Request) -> Response:
        query = self.query
        query["deleted_at__isnull"] = not query.get("deleted_at__isnull", False)
        return self.page(AccountFile.objects.visible_to(self.user).filter(**query))

    @extend_schema(summary="Add a file to an account", request=FileUpload, responses={201: FileSerializer})
    def post(self, request: Request) -> Response:
        form = request.data
        key = identifier(form.get("account"))
        if key is None:
            raise invalid(FieldError("account", "account", "account must be an account's id."))
        account = editable_account(self.user, key)
        said = _said(form)
        document = add_file(account, _content(request), actor=self.user, at=timezone.now(), **said)
        return self.one(AccountFile.objects.all(), 201, pk=document.pk)


class FileDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "accounts.edit", "DELETE": "accounts.edit"}
    serializer_class = FileSerializer

    @extend_schema(summary="Read a file and its versions")
    def get(self, request: Request, file_id: UUID) -> Response:
        return self.one(AccountFile.objects.visible_to(self.user), pk=file_id)

    @extend_schema(
        summary="Change what is said about a file, or bring it back", request=FileRecord, parameters=[IF_MATCH]
    )
    def patch(self, request: Request, file_id: UUID) -> Response:
        document = _editable(self.user, file_id)
        values = {name: value for name, value in self.read(FileRecord, partial=True).items() if value is not None}
        deleted = values.pop("deleted", None)
        steps: list[Any] = [restore_file] if deleted is False else []
        steps += [partial(update_file, **values)] if values else []
        steps += [delete_file] if deleted else []
        # The first step locks the row, so the version has to be looked at once.
        expected, at = self.expected_version, timezone.now()
        with transaction.atomic():
            for step in steps:
                document = step(document, expected_version=expected, actor=self.user, at=at)
                expected = None
        return self.one(AccountFile.objects.all(), pk=document.pk)

    @extend_schema(
        summary="Delete a file", description='It can be brought back: PATCH {"deleted": false}.', parameters=[IF_MATCH]
    )
    def delete(self, request: Request, file_id: UUID) -> Response:
        document = _editable(self.user, file_id)
        delete_file(document, actor=self.user, at=timezone.now(), expected_version=self.expected_version)
        return Response(status=204)


class FileVersions(Endpoint):
    policy = {"POST": "accounts.edit"}
    serializer_class = FileSerializer
    parser_classes = [_FileParser]

    @extend_schema(summary="Add the next version of a file", request=VersionUpload, responses={201: FileSerializer})
    def post(self, request: Request, file_id: UUID) -> Response:
        document = _editable(self.user, file_id)
        add_version(document, _content(request), actor=self.user, at=timezone.now())
        return self.one(AccountFile.objects.all(), 201, pk=document.pk)


class FileContent(Endpoint):
    policy = {"GET": "accounts.view"}

    @extend_schema(
        summary="The current version of a file, as a download",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, file_id: UUID) -> HttpResponse:
        self.refuse_parameters()
        rows = FileVersion.objects.visible_to(self.user).filter(document=file_id).order_by("-number")
        found = rows.first()
        if found is None:
            raise Http404
        return download(found)


def _said(form: Any) -> dict[str, Any]:
    """What the form says about the file. Raises ValidationError naming every field and rule."""
    reading = read_row(SAID, {name: str(form[name]) for name in SAID if name in form}, partial=True)
    if reading.errors:
        raise invalid(*reading.errors)
    return {name: value for name, value in reading.values.items() if value is not None}


def _content(request: Request) -> Checked:
    """The file as it may be kept. Raises ValidationError without one, RuleViolated naming the part."""
    file = request.FILES.get("file")
    if file is None:
        raise invalid(FieldError("file", "required", "Send the file as the form's part named file."))
    try:
        return check([file])[0]
    except RuleViolated as broken:
        raise RuleViolated(broken.rule, broken.message, "file") from broken


def _editable(user: Any, file_id: UUID) -> AccountFile:
    """The file if ``user`` may change it: 404 where they may not see it, 403 where only read it."""
    document = AccountFile.objects.visible_to(user).filter(pk=file_id).first()
    if document is None:
        raise Http404
    editable_account(user, document.account_id)
    return document


urlpatterns = [
    path("files/", FileList.as_view(), name="file-list"),
    path("files/<uuid:file_id>/", FileDetail.as_view(), name="file-detail"),
    path("files/<uuid:file_id>/versions/", FileVersions.as_view(), name="file-versions"),
    path("files/<uuid:file_id>/content/", FileContent.as_view(), name="file-content"),
]
