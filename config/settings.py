"""Settings of every process. What differs between machines comes from the environment (``config.env``)."""

from pathlib import Path

from csp.constants import NONE, SELF

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = env.secret_key()
SECRET_KEY_FALLBACKS = env.read("SECRET_KEY_FALLBACKS")
DEBUG = env.read("DEBUG")
HTTPS = env.read("HTTPS")
BASE_DOMAIN = env.read("BASE_DOMAIN").lower()
PORT = env.read("PORT")
# The Domain table is the only gate: an unknown host is answered 404 by the tenant middleware.
ALLOWED_HOSTS = ["*"]

# --- Tenancy: the public schema holds Tenant, Domain and quotas; everything else lives in tenant schemas.
# Ours first: its create_tenant is meant, not the one of django_tenants.
SHARED_APPS = ["tenants", "django_tenants", "django.contrib.staticfiles", "django_htmx", "template_partials", "ui"]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "accounts",
    "usage",
    "documents",
    "playbooks",
    "engagement",
    "support",
    "knowledge",
    "health",
    "packs",
    "imports",
    "portal",
    "myday",
    "webhooks",
    "api",
    "demo",
    "console",
    "signup",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_LIMIT_SET_CALLS = True
SHOW_PUBLIC_IF_NO_TENANT_FOUND = False
ROOT_URLCONF = "config.urls"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
# The operators' own workspace has the console besides.
PLATFORM_URLCONF = "config.urls_platform"
# Run inside a new tenant's schema, in this order.
TENANT_SETUP = ["accounts.actions.setup.prepare_workspace", "packs.actions.install_for_tenant"]
# Whose host a name is, read once in so many seconds and process: as long a suspended workspace may be served.
HOSTS_KEPT_SECONDS = 1.0
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
PG_EXTRA_SEARCH_PATHS = ["extensions"]
# A constraint keeps a workspace's schema from being called that; no query is needed at every start.
SKIP_PG_EXTRA_VALIDATION = True

DATABASES = {"default": env.read("DATABASE_URL")}
# SECURITY: a connection that nobody pointed at a tenant finds no table of ours.
DATABASES["default"]["OPTIONS"]["options"] = (
    "-c search_path=pg_catalog -c statement_timeout=60000 -c lock_timeout=10000 "
    "-c idle_in_transaction_session_timeout=120000"
)
if env.read("DB_POOL"):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.read("DB_POOL"),
        "max_lifetime": 600,
        "timeout": 10,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Requests
WSGI_APPLICATION = "config.wsgi.application"
MIDDLEWARE = [
    "tenants.middleware.HealthMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ui.compression.CompressPages",
    "csp.middleware.CSPMiddleware",
    "tenants.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionBindingMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.TimezoneMiddleware",
    "accounts.navigation.ForgetCounts",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["ui.templatetags.ui"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "django.contrib.auth.context_processors.auth",
                "accounts.context.workspace",
            ],
        },
    }
]

FORM_RENDERER = "ui.forms.Renderer"
# What waits behind an entry of the side bar: (user) -> its rows, from the domain that knows; counted in one query.
NAVIGATION_COUNTS: dict[str, str] = {
    "playbooks:cta-list": "playbooks.queries.waiting_ctas",
    "support:ticket-list": "support.queries.listing.waiting_tickets",
    "support:escalation-list": "support.queries.escalations.waiting_escalations",
    "support:incident-list": "support.queries.incidents.waiting_incidents",
    "support:mail-list": "support.queries.mail.waiting_mail",
    "engagement:inbox": "engagement.queries.unread",
}
# The accounts a person opened last, for the side bar: (user) -> accounts with ``opened_at``.
NAVIGATION_OPENED = "health.book.opened.opened_by"
# What triggers are called, by their keys, for the playbooks that they start.
TRIGGER_NAMES = "health.queries.automation.trigger_names"
# Where an account stands in a list: (user, account id, the list's query string) -> place or None.
ACCOUNT_PLACE = "health.book.accounts.place.place_of"
# What tests an own field otherwise than a new definition of it allows: (definition) -> names.
OWN_FIELD_TESTS = "health.queries.segments.broken_by"
# Mail whose files not everybody may have, by its kind: (user) -> why it is not sent after all, asked as it goes out.
MAIL_WITHHELD = {"board_pack": "health.queries.packs.why_withheld"}
# Files of an account that other domains keep: (user, account id) -> accounts.queries.files.Attached.
ACCOUNT_FILE_SOURCES = ["support.queries.files.attached_to"]
# What other domains say at the head of an account's page.
ACCOUNT_NOTICES = ["support.queries.incidents.account_notices"]
# Rows that the product makes by itself for every account: they go with one that is removed and keep none.
FOLLOWS_AN_ACCOUNT = [
    "accounts.AuditEntry",
    "accounts.ChangedAccount",
    "accounts.LastTouch",
    "engagement.Notification",
    "health.AccountHealth",
    "health.AccountVisit",
    "health.BandChange",
    "health.HealthEvent",
    "health.HealthScore",
    "health.SegmentMember",
    "health.Standing",
    "health.TriggerFiring",
    "health.TriggerState",
    "webhooks.Event",
]
# The same as long as no person did anything with them, which their querysets tell by ``touched``.
FOLLOWS_AN_ACCOUNT_UNTOUCHED = ["health.RenewalReview", "playbooks.Cta"]
# What the search finds, in this order: an ``accounts.search.Source`` each.
SEARCH_SOURCES = [
    "accounts.search.ACCOUNTS",
    "accounts.search.CONTACTS",
    "accounts.search.COLLEAGUES",
    "playbooks.search.CTAS",
    "support.search.TICKETS",
    "support.search.INCIDENTS",
    "knowledge.search.ARTICLES",
]

# --- Sessions, cookies, headers
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "__Host-sid" if HTTPS else "sid"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 7 * 24 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
# SECURITY: stays empty; a wildcard here would trust every sibling tenant.
CSRF_TRUSTED_ORIGINS: list[str] = []
CSRF_FAILURE_VIEW = "ui.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 63072000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640

# --- People
AUTH_USER_MODEL = "accounts.User"
# The address is unique whatever its case, by a constraint on lower(email).
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.signin_forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# SECURITY: a link would verify the same primary key in another tenant; a code cannot.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_CONFIRMATION_HMAC = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.password_reset.TokenGenerator"
# Sign-ins are counted by accounts.limits: allauth would lock a victim out of every network, and give every
# address a fresh budget in each tenant.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password": "20/m/ip,3/h/key"}
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ALLAUTH_TRUSTED_PROXY_COUNT = env.read("TRUSTED_PROXIES")
MFA_ADAPTER = "accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["recovery_codes", "totp", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TRUST_ENABLED = False
MFA_TOTP_TOLERANCE = 0
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
# accounts.middleware notes the last use, once in five minutes; allauth would write with every page.
USERSESSIONS_TRACK_ACTIVITY = False

# --- Cache and queue
REDIS_URL = env.read("REDIS_URL")
CACHES = {
    # SECURITY: the key names the schema, so one tenant never reads another's entry.
    "default": {
        "BACKEND": "config.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_FUNCTION": "django_tenants.cache.make_key",
        "KEY_PREFIX": "tenure",
    },
    # For limits per address, which all tenants share.
    "global": {
        "BACKEND": "config.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tenure-g",
    },
}
CELERY_BROKER_URL = REDIS_URL
# A slow receiver of webhooks holds up webhooks only: they have a queue and a worker of their own (config.stack).
CELERY_TASK_ROUTES = {"webhooks.deliver": {"queue": "webhooks"}}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# The queue redelivers what a lost connection leaves unacknowledged, so going on would do it twice.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the hard time limit, else a long task would be started twice.
    "visibility_timeout": 1200,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "tenure:",
    "health_check_interval": 10,
}
CELERY_TASK_TENANT_CACHE_SECONDS = 0
CELERY_TIMEZONE = "UTC"

# --- Mail, files, language
for _name, _value in env.read("MAIL_URL").items():
    globals()[_name] = _value
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.read("MAIL_FROM")
MAILBOX = env.read("MAILBOX_URL")
MAIL_RELAY = env.read("MAIL_RELAY").lower()
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = env.read("MEDIA_ROOT")
STORAGES = {
    "default": {"BACKEND": "django_tenants.files.storage.TenantFileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- API. REST framework and drf-spectacular are not installed as apps: only JSON is served, and their static files
# and templates would come along.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.BearerAuthentication",
        "api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.PolicyPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.CallsPerMinute"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSONParser", "api.parsers.MergePatchParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.KeysetPagination",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.renderers.FirstRenderer",
    "EXCEPTION_HANDLER": "api.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "api.schema.PolicySchema",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Tenure API",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Accounts, usage, health and CTAs. Limits, errors and idempotency: /api/docs/.",
    "SERVERS": [{"url": "/"}],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    # Enumerations stay where they are used: named ones would change their names with every new list.
    "POSTPROCESSING_HOOKS": ["api.schema.add_shared"],
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "COMPONENT_SPLIT_REQUEST": True,
}
# Calls a minute for one token or person, for a whole workspace (its quota may say otherwise), and for one address
# without a token.
API_CALLS_PER_MINUTE = 1200
API_CALLS_PER_MINUTE_TENANT = 6000
API_CALLS_PER_MINUTE_ANONYMOUS = 300

# --- Metrics that scorecards and triggers may read, in the order in which a later one wins.
METRIC_PROVIDERS = ["accounts.metrics.provide", "usage.metrics.provide", "support.metrics.provide"]
# What the support reports ask of apps they do not know: questions an article answered, and a methodology's channels.
KNOWLEDGE_FIGURES = "knowledge.queries.deflection"
CHANNEL_GUIDES = "packs.queries.channel_guides"
ACCOUNT_SEGMENTS = "health.queries.segments.Choices"
# Resources as the API shows them, for what webhooks tell of them.
WEBHOOK_SHAPES = "api.webhook_shapes.shapes"
WEBHOOKS_UNGUARDED = env.read("WEBHOOKS_UNGUARDED")
# Asked for, seconds after the commit, by whatever changes an account's facts.
CHANGED_ACCOUNTS_TASK = "health.sweep"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tenant": {"()": "tenants.logs.TenantFilter"}, "secrets": {"()": "tenants.logs.SecretsFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s [%(tenant)s] %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tenant", "secrets"]}},
    "root": {"handlers": ["console"], "level": env.read("LOG_LEVEL")},
}
