"""Service levels as arithmetic: what was promised, how much of it is used up, and why. Pure: no Django.

    promise = Promise.read(rule["response"], calendar, minutes_per_day=480)
    runs = runs_of("first_response", RULES["first_response"], marks)
    state = judge(runs[0], [Period(created, promise)], at=now)

A clock is never counted up: it is worked out from what happened (``marks``), so that it can be made again at any
time, after any correction, and comes out the same.
"""

from support.sla.clocks import Period, State, judge, moments
from support.sla.explain import Interval, explain
from support.sla.promises import BadPromise, Promise
from support.sla.timeline import ClockRule, Gap, Mark, Run, runs_of

__all__ = [
    "BadPromise",
    "ClockRule",
    "Gap",
    "Interval",
    "Mark",
    "Period",
    "Promise",
    "Run",
    "State",
    "explain",
    "judge",
    "moments",
    "runs_of",
]
