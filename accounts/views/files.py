"""The Files tab: documents of an account with their versions, and what came with its tickets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.actions.files import add_file, add_version, delete_file, restore_file, update_file
from accounts.choices import Visibility
from accounts.csv_out import csv_response
from accounts.downloads import download
from accounts.forms.files import ContentForm, SaidForm, UploadForm
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import AccountFile, FileVersion
from accounts.policy import requires
from accounts.queries.files import FileFilter, attached_to, files_of, versions_of, with_newest

TAB = "accounts:account-files"


@requires(GET="accounts.view", POST="accounts.edit")
def account_files(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The account's files and those of its tickets; posting adds one. Two queries beside the frame's."""
    posted = request.method == "POST"
    account = (editable_account_or_404 if posted else account_or_404)(request, account_id)
    form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
    if posted and form.is_valid():
        given = {"actor": request.user, "at": timezone.now(), **form.values()}
        if form.run(lambda: add_file(account, form.content(), **given)):
            messages.success(request, "The file was added.")
            return redirect(TAB, account.pk)
    wanted = FileFilter.read(request.GET)
    files = files_of(request.user, account.pk, wanted)
    context = frame(
        request,
        account,
        TAB,
        form=form,
        files=files,
        wanted=wanted,
        tags=sorted({tag for file in files for tag in file.tags} | ({wanted.tag} - {""})),
        attached=[] if wanted.is_narrow else attached_to(request.user, account.pk),
    )
    return render(request, "accounts/files.html", context, status=422 if form.errors else 200)


@requires(GET="accounts.export")
def files_export(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The files that the tab's filter leaves, one row each, as CSV."""
    account = account_or_404(request, account_id)
    heads = ("title", "description", "tags", "seen_by", "version", "file", "bytes", "changed_at", "by")
    found = files_of(request.user, account.pk, FileFilter.read(request.GET))
    return csv_response(f"files-{timezone.localdate()}.csv", heads, map(_row, found))


def _row(file: Any) -> list[Any]:
    last = file.newest
    said = [file.title, file.description, ", ".join(file.tags), file.visibility]
    return [*said, last["number"], last["name"], last["size"], file.updated_at.isoformat(), last["by"] or last["mail"]]


@requires(GET="accounts.view", POST="accounts.edit")
def file_detail(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """One file with every version; posting changes what is said about it."""
    document, account = _file(request, file_id, writing=request.method == "POST")
    form = SaidForm(request.POST or None, initial=_said(document))
    if request.method == "POST" and form.is_valid():
        given = {"actor": request.user, "at": timezone.now(), "expected_version": form.cleaned_data["version"]}
        if form.run(lambda: update_file(document, **given, **form.values())):
            messages.success(request, "Saved.")
            return redirect("accounts:file-detail", document.pk)
    return _detail(request, document, account, form=form)


@requires(POST="accounts.edit")
def file_version(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Add the next version."""
    document, account = _file(request, file_id, writing=True)
    form = ContentForm(request.POST, request.FILES)
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if form.is_valid() and form.run(lambda: add_version(document, form.content(), **given)):
        messages.success(request, "The new version was added.")
        return redirect("accounts:file-detail", document.pk)
    return _detail(request, document, account, content_form=form)


@requires(POST="accounts.edit")
def file_delete(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Delete; the message that says so has the way back."""
    document, account = _file(request, file_id, writing=True)
    delete_file(document, actor=request.user, at=timezone.now())
    undo = reverse("accounts:file-restore", args=[document.pk])
    messages.success(request, f"{document.title} was deleted.", extra_tags=undo)
    return redirect(TAB, account.pk)


@requires(POST="accounts.edit")
def file_restore(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Bring a deleted file back."""
    document, account = _file(request, file_id, writing=True)
    restore_file(document, actor=request.user, at=timezone.now())
    messages.success(request, f"{document.title} is back.")
    return redirect(TAB, account.pk)


@requires(GET="accounts.view")
def file_download(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """One version as a download, also of a deleted file."""
    found = FileVersion.objects.visible_to(request.user).filter(pk=version_id).first()
    if found is None:
        raise Http404
    return download(found)


def _file(request: HttpRequest, file_id: UUID, *, writing: bool) -> tuple[AccountFile, Any]:
    """The file with its account; 404 where the reader may not see it, 403 where they may not change it."""
    document = with_newest(AccountFile.objects.visible_to(request.user)).filter(pk=file_id).first()
    if document is None:
        raise Http404
    find = editable_account_or_404 if writing else account_or_404
    return document, find(request, document.account_id)


def _said(document: AccountFile) -> dict[str, Any]:
    return {
        "title": document.title,
        "description": document.description,
        "tags": ", ".join(document.tags),
        "shared": document.visibility == Visibility.SHARED,
        "version": document.version,
    }


def _detail(request: HttpRequest, document: AccountFile, account: Any, **forms: Any) -> HttpResponse:
    context = {
        "form": SaidForm(initial=_said(document)),
        "content_form": ContentForm(),
        "document": document,
        "versions": versions_of(document),
        **forms,
    }
    failed = context["form"].errors or context["content_form"].errors
    page = frame(request, account, TAB, **context)
    return render(request, "accounts/file.html", page, status=422 if failed else 200)
