"""Forms of the knowledge base. They read; the actions decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.account_fields import AccountsField
from accounts.models import Account
from accounts.people_forms import RuleForm
from knowledge.choices import Audience, ReviewKind
from knowledge.models import Article, Category

if TYPE_CHECKING:
    from accounts.models import User


class ArticleForm(RuleForm):
    """An article's words, and who they are for. ``version`` travels hidden, so that a lost race is told."""

    title = forms.CharField(max_length=200)
    summary = forms.CharField(
        max_length=300, required=False, help_text="One sentence; shown in lists and search results."
    )
    body = forms.CharField(
        label="Text",
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true"}),
        help_text="Markdown: ## heading, **bold**, - list, `code`, [link](https://…), tables.",
    )
    category = forms.ModelChoiceField(queryset=Category.objects.none(), empty_label=None)
    audience = forms.ChoiceField(choices=Audience.choices, label="For")
    accounts = AccountsField(required=False, label="Only these customers", help_text="None chosen: every customer.")
    tags = forms.CharField(required=False, max_length=500, help_text="Separated by commas.")
    check_every_days = forms.IntegerField(
        label="Check every", initial=180, help_text="Days after which somebody sees whether it still holds."
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.all()
        self.fields["accounts"].offer(Account.objects.visible_to(user).unarchived())

    def clean_tags(self) -> list[str]:
        """The tags as a list, each once."""
        return list(dict.fromkeys(tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()))

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


def words_of(article: Article) -> dict[str, Any]:
    """The article as the form shows it. Two queries."""
    latest = article.texts.first()
    return {
        "title": latest.title,
        "summary": latest.summary,
        "body": latest.body,
        "category": article.category_id,
        "audience": article.audience,
        "accounts": list(article.accounts.all()),
        "tags": ", ".join(article.tags),
        "check_every_days": article.check_every_days,
        "version": article.version,
    }


class ReviewForm(RuleForm):
    """A word on the text in review."""

    kind = forms.ChoiceField(choices=ReviewKind.choices, label="Which")
    note = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Needed when something has to change."
    )


class CategoryForm(RuleForm):
    """A shelf."""

    title = forms.CharField(max_length=120)
    detail = forms.CharField(max_length=300, required=False, label="Explanation")
    position = forms.IntegerField(min_value=0, max_value=999, required=False, help_text="Its place in the list.")


class PictureForm(RuleForm):
    """A picture to put into an article."""

    picture = forms.FileField(help_text="PNG, JPEG or WebP, 8 MB at most.")
