"""A backtest's figures as sentences, tables and charts. What too few cases say is said to be too few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from health.backtest.grading import COLOURS, FEW, TIME_TO_ACT
from health.choices import Basis, Rag
from health.models import Backtest
from health.queries.lab import Named
from ui import charts, formats
from ui.tokens import tone_of

WARNINGS = ("yellow", "orange", "red")
MOST_SHOWN = 25


def warn_from(wanted: str, definition: Mapping[str, Any]) -> str:
    """The colour from which a score warns: the one asked for, else orange, else red, as far as the card has it."""
    has = {band["rag"] for band in definition["bands"]}
    if wanted in WARNINGS:
        return wanted
    return next((colour for colour in ("orange", "red", "yellow") if colour in has), "red")


def accounts_named(rows: Mapping[str, Any] | None, warn: str) -> set[str]:
    """Every account the report may name while scores warn from the colour ``warn``."""
    if rows is None:
        return set()
    lists = [rows["losses"][warn], rows["standing"][warn], rows["falls"]]
    return {row["account"] for one in lists for row in one}


def report(backtest: Backtest, warn: str, names: Mapping[str, Named]) -> dict[str, Any]:
    """Everything the page shows, warnings counting from the colour ``warn``."""
    result, rows = backtest.result or {}, backtest.rows or {}
    champion = result["champion"]
    late, caught = _by_warning(rows["losses"][warn], warn, names)
    return {
        "warn": warn,
        "warnings": [(colour, Rag(colour).label) for colour in WARNINGS],
        "verdict": _verdict(backtest, champion, warn),
        "cautions": _cautions(backtest),
        "sides": [
            side
            for side in (_side("Champion", champion, warn), _side("Challenger", result["challenger"], warn))
            if side
        ],
        "rivals": _rivals(result["rivals"], warn),
        "calibration": _calibration(champion),
        "calibration_chart": _calibration_chart(champion),
        "cut_offs": _cut_offs(champion, backtest.definition),
        "cut_chart": _cut_chart(champion),
        "measures": _measures(champion),
        "colours": champion["colours"],
        "span": (date.fromordinal(result["days"][0]), date.fromordinal(result["days"][-1])),
        "periods": [date.fromordinal(day) for day in champion["periods"]],
        "green_and_lost": _named(late[:MOST_SHOWN], names),
        "green_total": len(late),
        "green_arr": sum(row["arr"] for row in late),
        "caught": _named(caught[:MOST_SHOWN], names),
        "caught_total": len(caught),
        "standing": _named(rows["standing"][warn], names)[:MOST_SHOWN],
        "standing_total": len(rows["standing"][warn]),
        "falls": _named(rows["falls"], names)[:MOST_SHOWN],
        "scored": _scored_line(result),
        "few_limit": FEW,
        "time_to_act": TIME_TO_ACT,
    }


def _by_warning(
    losses: Iterable[Mapping[str, Any]], warn: str, names: Mapping[str, Named]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Losses the reader may see, not warned of in time and warned of, the largest first. No score is no warning."""
    level = COLOURS.index(warn)
    late, caught = [], []
    for row in sorted(losses, key=lambda row: (-row["arr"], row["on"])):
        if row["account"] in names:
            (late if COLOURS.index(row["colour_in_time"] or "green") < level else caught).append(row)
    return late, caught


def _named(rows: Iterable[Mapping[str, Any]], names: Mapping[str, Named]) -> list[dict[str, Any]]:
    """Rows of accounts the reader may see, with their names and tones, days as dates."""
    found = []
    for row in rows:
        account = names.get(row["account"])
        if account is None:
            continue
        tones = {f"{name}_tone": _tone(row[name]) for name in row if name.startswith("colour")}
        day = {"on": date.fromordinal(row["on"])} if "on" in row else {}
        found.append({**row, **tones, **day, "account": account})
    return found


def _tone(colour: str | None) -> str:
    return "nodata" if colour is None else tone_of(colour)


def _verdict(backtest: Backtest, graded: Mapping[str, Any], warn: str) -> str:
    """One sentence: what the version foresaw, or that it cannot be said."""
    if not graded["judged"]:
        return "Nothing could be judged: no customer had a score at the beginning of a period that is over."
    warning, lost = graded["warnings"][warn], graded["lost"]
    plural = "" if lost == 1 else "es"
    if not lost:
        return "No customer was lost in the periods judged, so nobody can say whether the score would have warned."
    if not warning["miss"] + warning["calm"]:
        return f"It warned of every customer, and so of all {lost} loss{plural}: that tells nobody apart."
    chance = warning["chance"]
    found = f"It warned of {warning['hit']} of {lost} loss{plural} within {backtest.horizon_days} days"
    if warning["hit"] + warning["alarm"]:
        precision, base = percent(warning["precision"]), percent(graded["base_rate"])
        found += f"; of its warnings {precision} came true, against {base} by lot"
    if warning["few"]:
        return f"{found}. Too few cases to say how well: look at the accounts, not at the rates."
    if chance and chance["p_value"] > 0.05:
        return f"{found}. That is no better than chance."
    return f"{found}."


def percent(share: Mapping[str, float] | None) -> str:
    """A share as ``12.5 %``; a dash where nothing was counted."""
    return formats.share(None if share is None else share["share"])


def _cautions(backtest: Backtest) -> list[str]:
    """What a reader must know before believing the figures."""
    result = backtest.result or {}
    graded = result["champion"]
    found = []
    customers, scored = sum(result["customers"]), sum(result["scored"])
    if customers and scored * 2 < customers:
        share = scored * 100 // customers
        words = f"Only {share} % of customer days could be scored." if scored else "No customer could be scored."
        if backtest.basis == Basis.RECORDED:
            words += " History that was imported later was not known then; the dated basis would use it."
        found.append(words)
    unscored = graded["unscored_lost"]
    if unscored:
        losses = _counted(unscored, "loss", "losses")
        found.append(f"Not judged, having no score at the beginning of the period: {losses}.")
    elsewhere = result["losses_in_span"] - graded["lost"] - unscored
    if elsewhere > 0:
        losses = _counted(elsewhere, "loss", "losses")
        found.append(f"Not judged, no customer yet at the beginning of a period or lost outside of them: {losses}.")
    if backtest.basis == Basis.DATED:
        found.append(
            "Each value counts on the day it speaks of, whenever it was recorded. What was entered afterwards may "
            "already have known how the story ends."
        )
    if result["losses_in_span"] < FEW:
        found.append(
            f"{_counted(result['losses_in_span'], 'loss', 'losses')} and "
            f"{_counted(result['renewals'], 'renewal', 'renewals')} in the whole span. "
            f"With fewer than {FEW} losses, rates are shown with their intervals and mean little."
        )
    return found


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _side(title: str, graded: Mapping[str, Any] | None, warn: str) -> dict[str, Any] | None:
    if graded is None:
        return None
    warning = graded["warnings"][warn]
    return {
        "title": title,
        "warning": warning,
        "graded": graded,
        "rates": [
            ("Precision", "of its warnings came true", warning["precision"]),
            ("Recall", "of the losses were warned of", warning["recall"]),
            ("False alarms", "of those who stayed were warned of", warning["false_alarm_rate"]),
            ("Base rate", "of all judged were lost", graded["base_rate"]),
        ],
        "lift": _lift(warning["precision"], graded["base_rate"]),
    }


def _lift(precision: Mapping[str, float] | None, base: Mapping[str, float] | None) -> float | None:
    if not precision or not base or not base["share"]:
        return None
    return round(precision["share"] / base["share"], 1)


_WORDS = {
    "few": "Too few differ to say",
    "same": "No difference beyond chance",
    "champion": "Champion is better",
    "challenger": "Challenger is better",
}


def _rivals(rivals: Mapping[str, Any] | None, warn: str) -> dict[str, Any] | None:
    if rivals is None:
        return None
    found = rivals[warn]
    return {**found, "losses_words": _WORDS[found["losses_verdict"]], "alarms_words": _WORDS[found["alarms_verdict"]]}


def _calibration(graded: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**row, "to": row["from"] + 10, "few": row["cases"] < FEW} for row in graded["calibration"]]


def _calibration_chart(graded: Mapping[str, Any]) -> charts.Chart | None:
    rows = _calibration(graded)
    return _line(
        rows,
        "share",
        title="Share lost by score",
        desc="The lower the score, the larger the share should be. Scores of too few periods are left out.",
        categories=[f"{row['from']}–{row['from'] + 10}" for row in rows],
        label="Lost",
        key="risk",
    )


def _cut_offs(graded: Mapping[str, Any], definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a warning under each score would have been worth, with the bands that begin there."""
    edges = {float(band["min"]): band["name"] for band in definition["bands"] if float(band["min"])}
    return [
        {
            **row,
            "edge": edges.get(float(row["under"]), ""),
            "each": round(row["alarm"] / row["hit"], 1) if row["hit"] else None,
            "few": row["hit"] + row["miss"] < FEW,
        }
        for row in graded.get("cut_offs", ())
    ]


def _cut_chart(graded: Mapping[str, Any]) -> charts.Chart | None:
    """Precision against recall over the cut-offs; nothing without a loss to find."""
    rows = [row for row in graded.get("cut_offs", ()) if row["recall"] is not None]
    return _line(
        rows,
        "recall",
        title="Losses found and warnings that came true, by cut-off",
        desc="Warning earlier finds more losses and is wrong more often.",
        categories=[f"under {row['under']}" for row in rows],
        label="Losses found",
        compare=_in_pct(rows, "precision"),
        compare_label="Warnings that came true",
        high=100.0,
    )


def _line(rows: Sequence[Mapping[str, Any]], share: str, **words: Any) -> charts.Chart | None:
    """A line of one share over the rows, in per cent, broken at rows of few; nothing for a single point."""
    values = _in_pct(rows, share)
    if sum(value is not None for value in values) < 2:
        return None
    percent = {"values": values, "formatter": lambda value: formats.percent(value, None), "low": 0.0}
    return charts.Line(**percent, **words).chart()


def _in_pct(rows: Sequence[Mapping[str, Any]], share: str) -> list[float | None]:
    return [None if row.get("few") else round(row[share]["share"] * 100, 1) for row in rows]


def _measures(graded: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each measure with how much more often customers with few of its points were lost."""
    found = []
    for row in graded.get("measures", ()):
        low, high = row["low"], row["high"]
        if row["judged"] >= FEW and not high["cases"]:
            found.append({**row, "says": "The same for nearly everybody"})
            continue
        enough = row["lost"] >= FEW and min(low["cases"], high["cases"]) >= FEW
        apart = enough and (low["share"]["low"] > high["share"]["high"] or low["share"]["high"] < high["share"]["low"])
        found.append({**row, "says": _says(row) if apart else "Nothing that is certain" if enough else ""})
    return found


def _says(row: Mapping[str, Any]) -> str:
    low, high = row["low"]["share"]["share"], row["high"]["share"]["share"]
    if low < high:
        return "The wrong way round: more of those with many points were lost"
    return f"{low / high:.1f} times as many lost" if high else "All losses were among them"


def _scored_line(result: Mapping[str, Any]) -> charts.Chart | None:
    """Which share of the customers could be scored on each day."""
    pairs = list(zip(result["customers"], result["scored"], strict=True))
    if len(pairs) < 2 or not any(there for there, _ in pairs):
        return None
    return charts.Line(
        title="Customers that could be scored",
        desc="By what counts as known on each day.",
        categories=[formats.day(date.fromordinal(day)) for day in result["days"]],
        values=[None if not there else round(scored * 100 / there, 1) for there, scored in pairs],
        formatter=lambda value: formats.percent(value, None),
        label="Scored",
        low=0.0,
        high=100.0,
    ).chart()


__all__ = ["accounts_named", "percent", "report", "warn_from"]
