/* Where people work lists all day: My day's keys and dialog, and moving cards on board and calendar. Everything here has a
   link or a button that does the same; nothing is needed to read or to submit. */
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const panel = one("#panel");
  const off = () => localStorage.getItem("keys") === "off";

  /* The row the keys speak of. It keeps its number when the list is drawn again. */
  let at = -1;
  const items = () => all("[data-day] [data-item]");
  const stand = (index) => {
    const rows = items();
    rows.forEach((row) => { delete row.dataset.cursor; });
    if (!rows.length) { at = -1; return; }
    at = Math.max(0, Math.min(rows.length - 1, index));
    rows[at].dataset.cursor = "";
    one("a", rows[at]).focus({ preventScroll: true });
    rows[at].scrollIntoView({ block: "nearest" });
  };
  const verb = (letter) => {
    const row = items()[at];
    const target = row && one(`[data-verb=${letter}]`, row);
    if (target) target.click();
    else if (row) one("#announce").textContent = "That cannot be done with this row.";
  };
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-item]");
    if (!row) return;
    items().forEach((each) => { delete each.dataset.cursor; });
    row.dataset.cursor = "";
    at = items().indexOf(row);
  });

  const typing = (target) => target.closest && target.closest("input:not([type=checkbox]), textarea, select, dialog");
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || off() || typing(event.target)) return;
    if (!one("[data-day]")) return;
    if (event.key === "j") stand(at + 1);
    else if (event.key === "k") stand(at < 0 ? items().length - 1 : at - 1);
    else if ("esrl".includes(event.key) && at >= 0) { event.preventDefault(); verb(event.key); }
    else if (event.key === "u") { const undo = all("[data-undo]").pop() || one("#kept button"); if (undo) undo.click(); }
  });

  /* A form that htmx brought opens in the dialog; the list that comes back closes it. */
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "panel-body" && panel && !panel.open) panel.showModal();
    if (event.detail.target.id === "panel-body") {
      const first = one(".callout[data-focus], select, input:not([type=hidden], [type=checkbox]), textarea", panel);
      if (first) first.focus();
    }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "day" && event.target.id !== "day") return;
    if (panel && panel.open) panel.close();
    if (at >= 0) stand(at);
  });
  document.addEventListener("click", (event) => {
    const cancel = event.target.closest("dialog a[data-close]");
    if (cancel) event.preventDefault();
  });

  /* Board and calendar: a card dropped on a column or a day uses the card's own choice of one. */
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest && event.target.closest("[data-card]");
    if (dragged) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const column = dragged && event.target.closest("[data-column]");
    if (!column) return;
    event.preventDefault();
    all("[data-over]").forEach((each) => { if (each !== column) delete each.dataset.over; });
    column.dataset.over = "";
  });
  document.addEventListener("dragend", () => {
    dragged = null;
    all("[data-over]").forEach((each) => { delete each.dataset.over; });
  });
  document.addEventListener("drop", (event) => {
    const column = dragged && event.target.closest("[data-column]");
    if (!column) return;
    event.preventDefault();
    const choice = one(".move select, .move input", dragged);
    if (choice && !column.contains(dragged)) { choice.value = column.dataset.column; one(".move button", dragged).click(); }
  });
})();
