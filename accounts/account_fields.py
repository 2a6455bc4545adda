"""Choosing an account in a form: from a list while there are few, else by its name with suggestions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.keys import is_key
from accounts.models import Account
from accounts.models.account import AccountQuerySet

# A longer list is not looked through, and every one of its options would be sent with every form.
LISTED, MOST_NAMED = 100, 200


class NameInput(forms.TextInput):
    """A text with the names that hold what was typed; without script one types the whole name."""

    template_name = "components/account_input.html"

    def __init__(self, names_url: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.names_url = names_url

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value, attrs) | {"names_url": f"{self.names_url}field={name}"}


class AccountField(forms.ModelChoiceField):
    """One of the accounts that the form offers. Its value is a key, or where many are offered also a name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Account.objects.none(), **options)
        self.is_typed = False

    def offer(self, accounts: AccountQuerySet, *, editable: bool = False) -> None:
        """Offer ``accounts`` by name; ``editable`` suggests only such as the reader may change. One query."""
        self.queryset = accounts.order_by("name")
        few = _few(self.queryset)
        self.is_typed = few is None
        if few is not None:
            self.choices = [*([("", self.empty_label)] if self.empty_label is not None else []), *few]
            return
        self.widget = NameInput(reverse("accounts:account-names") + ("?may=edit&" if editable else "?"))
        self.widget.is_required = self.required

    def prepare_value(self, value: Any) -> Any:
        """A key is shown as the account's name where names are typed."""
        key = value.pk if isinstance(value, Account) else value
        found = self.queryset.filter(pk=key).first() if self.is_typed and is_key(str(key)) else None
        return found.name if found else super().prepare_value(value)

    def to_python(self, value: Any) -> Account | None:
        """The account of a key, or the only one of that name in any case."""
        if not self.is_typed or value in self.empty_values or is_key(str(value)):
            return super().to_python(value)
        return _called(str(value), self.queryset)


class AccountsField(forms.ModelMultipleChoiceField):
    """Some of the accounts that the form offers, where many are offered a name in each line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Account.objects.none(), **options)
        self.is_typed = False

    def offer(self, accounts: AccountQuerySet) -> None:
        """Offer ``accounts`` by name. One query."""
        self.queryset = accounts.order_by("name")
        few = _few(self.queryset)
        self.is_typed = few is None
        if few is not None:
            self.choices = few
            return
        self.help_text = f"{self.help_text} A name in each line."
        self.widget = forms.Textarea({"rows": 4})
        self.widget.is_required = self.required

    def prepare_value(self, value: Any) -> Any:
        """Keys are shown as names, one in each line, where names are typed."""
        if not self.is_typed or not value or isinstance(value, str):
            return value if self.is_typed else super().prepare_value(value)
        keys = [each.pk if isinstance(each, Account) else each for each in value]
        return "\n".join(self.queryset.filter(pk__in=keys).values_list("name", flat=True))

    def clean(self, value: Any) -> Any:
        """The accounts of the keys, or of the names."""
        if not self.is_typed:
            return super().clean(value)
        names = [line.strip() for line in (value or "").splitlines() if line.strip()]
        if self.required and not names:
            raise ValidationError(self.error_messages["required"], code="required")
        return self.queryset.filter(pk__in=[_called(name, self.queryset).pk for name in names[:MOST_NAMED]])


def _few(accounts: AccountQuerySet) -> list[tuple[UUID, str]] | None:
    """(key, name) of each account while a list of them can be looked through; None for more. One query."""
    found = list(accounts.values_list("pk", "name")[: LISTED + 1])
    return found if len(found) <= LISTED else None


def _called(name: str, accounts: AccountQuerySet) -> Account:
    found = list(accounts.filter(name__iexact=name.replace("\x00", "").strip())[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise ValidationError(f"Several accounts are called {name}. Choose one of the suggestions.", code="ambiguous")
    raise ValidationError(f"No account that you may choose is called {name}.", code="invalid_choice")
