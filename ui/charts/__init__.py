"""Server-rendered SVG charts: the same markup in the page, the PDF and a mail, under a strict content policy."""

from ui.charts.bars import Series, stacked_bars
from ui.charts.bridge import bridge
from ui.charts.chart import Chart
from ui.charts.donut import donut
from ui.charts.gauge import gauge
from ui.charts.heat import heat_map
from ui.charts.lines import Line
from ui.charts.small import bullet, dots, share_bar, spark, split_bar
from ui.charts.waterfall import Cut, Step, Total, waterfall

__all__ = [
    "Chart",
    "Cut",
    "Line",
    "Series",
    "Step",
    "Total",
    "bridge",
    "bullet",
    "donut",
    "dots",
    "gauge",
    "heat_map",
    "share_bar",
    "spark",
    "split_bar",
    "stacked_bars",
    "waterfall",
]
