"""Board packs: the portfolio of a day as a PDF, frozen with its data."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import requires
from documents.actions import remove_document, retry_document
from documents.choices import DocumentState
from documents.queries import document_of, newest_documents
from health.actions.packs import KIND, file_name, order_pack
from health.book.choices import scope_choices
from health.book.scope import Scope
from health.pages.board_data import board_data
from health.pages.figures import chips
from health.pages.portfolio import navigation
from health.pages.portfolio_words import page_url

TONES = {DocumentState.DONE: "good", DocumentState.FAILED: "risk"}


@requires(GET="portfolio.packs", POST="portfolio.packs")
def board_packs(request: HttpRequest) -> HttpResponse:
    """The packs made, and a new one of the scope in the address: POST orders it."""
    now = timezone.now()
    scope = Scope.read(request.GET, timezone.localdate())
    if request.method == "POST":
        try:
            document = order_pack(scope, draw=board_data, actor=request.user, at=timezone.localtime(now))
        except RuleViolated as broken:
            messages.error(request, str(broken))
            return redirect(page_url_of_packs(scope))
        return redirect("accounts:board-pack", document.pk)
    choices = scope_choices(request.user)
    context = {
        "scope": scope,
        "packs": newest_documents(KIND),
        "chips": chips(scope, choices),
        "back": page_url("", scope),
        "parameters": scope.parameters(),
        **navigation(scope, choices),
    }
    return render(request, "health/board_packs.html", context)


def page_url_of_packs(scope: Scope) -> str:
    """The list of packs for the same scope."""
    query = scope.canonical()
    return reverse("accounts:board-packs") + (f"?{query}" if query else "")


@requires(GET="portfolio.packs")
def board_pack(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """One pack: how far it is, its file, and the figures it froze."""
    return render(request, "health/board_pack.html", _context(document_id))


@requires(GET="portfolio.packs")
def board_progress(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The part of the page that changes while the pack is being written."""
    return render(request, "health/_board_progress.html", _context(document_id))


def _context(document_id: UUID) -> dict[str, object]:
    pack = document_of(KIND, document_id)
    return {"pack": pack, "tone": TONES.get(DocumentState(pack.state), "info"), "figures": pack.data.get("figures", [])}


@requires(GET="portfolio.packs")
def board_file(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The PDF. Raises Http404 until it is ready."""
    pack = document_of(KIND, document_id)
    if pack.state != DocumentState.DONE:
        raise Http404
    return pdf_of_pack(pack)


def pdf_of_pack(pack: Any) -> HttpResponse:
    """The file of a pack that is ready, to be kept."""
    with pack.file.open("rb") as file:
        content = file.read()
    headers = {"Content-Disposition": f'attachment; filename="{file_name(pack)}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


@requires(POST="portfolio.packs")
def board_retry(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Write a pack that failed again, from the data it has."""
    if retry_document(document_of(KIND, document_id), actor=request.user, at=timezone.now()):
        messages.success(request, "It is being written again from the same data.")
    return redirect("accounts:board-pack", document_id)


@requires(POST="portfolio.packs")
def board_remove(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Take a pack away."""
    pack = document_of(KIND, document_id)
    remove_document(pack, actor=request.user, at=timezone.now())
    messages.success(request, f"{pack.title} was removed. The audit log keeps its digests.")
    return redirect("accounts:board-packs")
