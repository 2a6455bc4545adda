"""The pages of the public host. None of them reads a workspace's schema: there is none selected here."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts.limits import Limit, limited
from accounts.policy import requires
from signup import tasks
from signup.forms import SignUpForm
from signup.methods import METHODS
from tenants import signing
from tenants.actions import TenantRefused, problem_with_new, reserve_tenant, url_of
from tenants.models import Tenant, TenantStatus
from tenants.slugs import slug_from

# From one address over all hosts: a person corrects a form a few times; a script makes workspaces.
SIGN_UPS = Limit("sign-up", 10, 3600, shared=True)
PURPOSE = "signup-progress"
PROGRESS_SECONDS = 24 * 3600
STEPS = ("Preparing the database", "Installing the methodology and your account", "Ready")


@requires(GET="anonymous")
def home(request: HttpRequest) -> HttpResponse:
    """What Tenure is."""
    return render(request, "signup/home.html", {"methods": METHODS})


@requires(GET="anonymous", POST="anonymous")
@limited(SIGN_UPS)
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form; a good one reserves the sub-domain, queues the set-up and leads to its progress."""
    form = SignUpForm(request.POST or None, initial={"pack": METHODS[0].key})
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("signup:progress", token=_start(form.cleaned_data))
        except TenantRefused as refused:
            form.add_error(refused.field, str(refused))
    context = {"form": form, "base_domain": settings.BASE_DOMAIN}
    return render(request, "signup/sign_up.html", context, status=422 if form.errors else 200)


def _start(data: dict[str, str]) -> str:
    now = timezone.now()
    tenant = reserve_tenant(data["slug"], name=data["company"], pack=data["pack"], timezone=data["timezone"], at=now)
    owner = tasks.seal(email=data["email"], name=data["name"], password=data["password"])
    tasks.build.delay(tenant.pk, owner)
    return signing.dumps(tenant.pk, purpose=PURPOSE)


@requires(GET="anonymous")
@never_cache
def check_slug(request: HttpRequest) -> HttpResponse:
    """Whether the typed sub-domain is free, as a line below the field; proposes one from the company's name."""
    slug = request.GET.get("slug", "").strip().lower()
    if not slug:
        slug = slug_from(request.GET.get("company", "")[:120])
    problem = problem_with_new(slug, at=timezone.now()) if slug else ""
    return render(request, "signup/_slug.html", {"slug": slug, "problem": problem, "base_domain": settings.BASE_DOMAIN})


@requires(GET="anonymous")
@never_cache
def progress(request: HttpRequest, token: str) -> HttpResponse:
    """How far the set-up is; asks again by itself, with or without JavaScript. htmx gets the panel alone."""
    try:
        tenant = Tenant.objects.get(pk=signing.loads(token, purpose=PURPOSE, max_age=PROGRESS_SECONDS))
    except (signing.BadSignature, Tenant.DoesNotExist) as error:
        raise Http404 from error
    context = {
        "tenant": tenant,
        "token": token,
        "steps": [(step, step in tenant.progress) for step in STEPS],
        "ready": tenant.status == TenantStatus.READY,
        "failed": tenant.status == TenantStatus.FAILED,
        "waiting": tenant.status == TenantStatus.PROVISIONING,
        "late": (timezone.now() - tenant.created_at).total_seconds() > 60,
        "url": url_of(tenant),
    }
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "signup/_progress.html" if partial else "signup/progress.html", context)
