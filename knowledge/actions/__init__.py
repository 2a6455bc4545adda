"""Verbs of the knowledge base."""

from knowledge.actions.categories import create_category, install_categories, update_category
from knowledge.actions.lookups import note_answer, note_gap
from knowledge.actions.pictures import add_picture
from knowledge.actions.publishing import confirm_article, publish_article, retire_article, review_text, submit_article
from knowledge.actions.reading import vote
from knowledge.actions.writing import revise_article, write_article

__all__ = [
    "add_picture",
    "confirm_article",
    "create_category",
    "install_categories",
    "note_answer",
    "note_gap",
    "publish_article",
    "retire_article",
    "review_text",
    "revise_article",
    "submit_article",
    "update_category",
    "vote",
    "write_article",
]
