/* The product's own script. No framework, no eval, no inline handlers: everything is delegated on the document,
   so that what htmx swaps in works without being wired again. Every page also works without this file. */
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  /* Theme: a cookie, so that the server renders the attribute next time and nothing flashes. */
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax${secure}`;
  };

  /* Toasts: announced, stay while hovered or focused. */
  const toast = (text, undo) => {
    const box = one(".toasts");
    if (!box || !text) return;
    const element = make("div", "toast");
    element.append(make("span", "", text));
    const button = make("button", "", undo ? "Undo" : "Close");
    button.type = "button";
    button.dataset.dismiss = "";
    if (undo) button.dataset.undo = undo;
    element.append(button);
    box.append(element);
    fade(element, undo ? 8000 : 5000);
  };
  const fade = (element, after) => setTimeout(() => {
    if (element.matches(":hover, :focus-within")) fade(element, 1500);
    else element.remove();
  }, after);
  const announce = (text) => {
    const region = one("#announce");
    if (region) region.textContent = text;
  };

  /* Palette: the pages are in the document; whatever else is found comes from the server after two characters. */
  const palette = one("#palette");
  const list = palette && one("#palette-list", palette);
  const field = palette && one("input", palette);
  const pages = list ? all("[role=option]", list) : [];
  let chosen = 0, asking = null;
  const options = () => all("[role=option]:not([hidden])", list);
  const choose = (index) => {
    const shown = options();
    chosen = shown.length ? (index + shown.length) % shown.length : 0;
    shown.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    field.setAttribute("aria-activedescendant", shown[chosen] ? shown[chosen].id : "");
    if (shown[chosen]) shown[chosen].scrollIntoView({ block: "nearest" });
  };
  const filterPages = (words) => pages.forEach((page) => {
    page.hidden = !page.textContent.toLowerCase().includes(words);
  });
  const search = async (words) => {
    if (asking) asking.abort();
    all("[data-found]", list).forEach((found) => found.remove());
    filterPages(words.toLowerCase());
    choose(0);
    if (words.length < 2 || !palette.dataset.search) return;
    asking = new AbortController();
    try {
      const url = `${palette.dataset.search}?q=${encodeURIComponent(words)}`;
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: asking.signal });
      if (!answer.ok) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      all("[data-found]", part).forEach((found) => {
        if (!("nothing" in found.dataset) || !options().length) list.append(document.adoptNode(found));
      });
      choose(0);
      announce(`${options().length} results`);
    } catch (problem) {
      if (problem.name !== "AbortError") throw problem;
    }
  };
  const openPalette = () => {
    if (!palette || palette.open) return;
    field.value = "";
    search("");
    palette.showModal();
  };
  if (palette) {
    let waiting = 0;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      filterPages(field.value.toLowerCase());
      waiting = setTimeout(() => search(field.value.trim()), 150);
    });
    palette.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); choose(chosen + 1); }
      if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen - 1); }
      if (event.key === "Enter" && options()[chosen]) { event.preventDefault(); options()[chosen].click(); }
    });
    palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
  }

  /* Lists: J and K move, X selects, Enter opens; Shift-click selects a range; the bar counts. */
  const rows = () => all("[data-rows] tbody tr");
  const checks = () => all("[data-rows] tbody input[type=checkbox]");
  let lastCheck = null;
  const cursor = () => rows().findIndex((row) => "cursor" in row.dataset);
  const move = (step) => {
    const lines = rows();
    if (!lines.length) return;
    const at = cursor();
    if (at >= 0) delete lines[at].dataset.cursor;
    const next = lines[at < 0 ? (step > 0 ? 0 : lines.length - 1) : Math.max(0, Math.min(lines.length - 1, at + step))];
    next.dataset.cursor = "";
    const link = one("th a, td a", next);
    if (link) link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const countSelected = () => {
    const bar = one(".bulk");
    if (!bar) return;
    const boxes = checks(), chosenBoxes = boxes.filter((box) => box.checked);
    bar.dataset.active = String(chosenBoxes.length > 0);
    const number = one("[data-n]", bar);
    if (number) number.textContent = chosenBoxes.length;
    const head = one("[data-all]");
    if (head) {
      head.checked = chosenBoxes.length > 0 && chosenBoxes.length === boxes.length;
      head.indeterminate = chosenBoxes.length > 0 && chosenBoxes.length < boxes.length;
    }
  };
  const selectRange = (box, extend) => {
    const boxes = checks();
    if (extend && lastCheck && boxes.includes(lastCheck)) {
      const [from, to] = [boxes.indexOf(lastCheck), boxes.indexOf(box)].sort((a, b) => a - b);
      boxes.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    }
    lastCheck = box;
    countSelected();
  };

  /* The bar goes away with its button, so focus goes back to the line in hand: Enter, J and K mean that line. */
  const clearSelection = () => {
    checks().forEach((box) => { box.checked = false; });
    const line = rows()[cursor()], back = line ? one("th a, td a", line) : lastCheck;
    if (back) back.focus({ preventScroll: true });
    countSelected();
  };

  /* A value edited where it stands: Enter and leaving save, Escape puts back what was there. */
  const before = new WeakMap();
  const edit = (link) => {
    const cell = link.closest("td, th, dd");
    if (!cell || one("[data-inline]", cell)) return;
    before.set(cell, [...cell.childNodes]);
    window.htmx.ajax("GET", link.getAttribute("href"), { target: cell, swap: "innerHTML" });
  };
  const value = (form) => { const field = one("[name=value]", form); return field ? field.value : ""; };
  const cancelEdit = (form) => {
    const cell = form.closest("td, th, dd"), kept = cell && before.get(cell);
    if (!kept) return;
    // Somebody was faster: what stood here is not what is there now.
    if ("conflict" in form.dataset) { location.reload(); return; }
    cell.replaceChildren(...kept);
    const link = one("[data-edit]", cell);
    if (link) link.focus({ preventScroll: true });
  };
  const leaveEdit = (form) => {
    if (!form.isConnected || form.contains(document.activeElement)) return;
    // What a lost race or a refusal left is not sent again by leaving it.
    if ("conflict" in form.dataset || one("[aria-invalid]", form)) return;
    if (value(form) === form.dataset.was) cancelEdit(form);
    else form.requestSubmit();
  };

  /* Panels that open: one at a time, closed by a click elsewhere or Escape. */
  const closePanels = (but) => all("details[data-pop][open]").forEach((panel) => { if (!panel.contains(but)) panel.open = false; });
  const reorder = (button) => {
    const line = button.closest("li"), up = button.value.startsWith("up");
    const other = up ? line.previousElementSibling : line.nextElementSibling;
    if (other && up) other.before(line); else if (other) other.after(line);
    button.focus();
  };

  /* Chart hover layer: text only, never HTML. */
  const tip = make("div", "tip");
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  let shownFor = null;
  const fillTip = (text) => {
    const [head, ...lines] = text.split(";;");
    tip.replaceChildren(make("b", "", head));
    lines.forEach((entry) => {
      const [key, label, value] = entry.split("|");
      const line = make("div");
      const swatch = make("span", "sw");
      swatch.dataset.k = line.dataset.k = key;
      line.append(swatch, make("span", "", label), make("span", "", value));
      tip.append(line);
    });
  };
  document.addEventListener("pointermove", (event) => {
    const group = event.target.closest && event.target.closest("[data-tip]");
    if (!group) { tip.hidden = true; shownFor = null; return; }
    if (group !== shownFor) { shownFor = group; fillTip(group.dataset.tip); tip.hidden = false; }
    const left = event.clientX + 14 + tip.offsetWidth > innerWidth - 8 ? event.clientX - tip.offsetWidth - 14 : event.clientX + 14;
    tip.style.translate = `${Math.max(8, left)}px ${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  }, { passive: true });

  /* Long jobs: a region with data-poll asks for itself again, slower and slower, until the answer has no data-poll. */
  const poll = (region, wait) => setTimeout(async () => {
    if (!region.isConnected) return;
    if (document.hidden) { poll(region, wait); return; }
    const answer = await fetch(region.dataset.poll, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer || !answer.ok) { poll(region, Math.min(wait * 2, 30000)); return; }
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = region.id ? part.getElementById(region.id) : part.body.firstElementChild;
    if (!next) return;
    document.adoptNode(next);
    region.replaceWith(next);
    if (next.dataset.poll) poll(next, Math.min(wait * 1.3, 5000));
    else announce(next.dataset.done || "Finished");
  }, wait);

  const copy = async (button) => {
    const source = button.dataset.copy ? one(button.dataset.copy) : null;
    const text = button.dataset.copyText || (source && (source.value || source.textContent.trim()));
    if (!text) return;
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch {
      if (source && source.select) source.select();
      toast("Press Ctrl C to copy.");
    }
  };

  document.addEventListener("click", (event) => {
    closePanels(event.target);
    const target = event.target.closest(
      "[data-edit], [data-order] button, [data-open], [data-theme-set], [data-dismiss], [data-clear], [data-copy], [data-copy-text], [data-print], [data-close], [data-rows] tbody input[type=checkbox]"
    );
    if (!target) return;
    const data = target.dataset;
    if ("edit" in data && !event.metaKey && !event.ctrlKey && !event.shiftKey && window.htmx) { event.preventDefault(); edit(target); }
    if (target.closest("[data-order]") && target.matches("button")) { event.preventDefault(); reorder(target); }
    if (data.open === "palette" && palette) { event.preventDefault(); openPalette(); }
    else if (data.open && one(data.open)) { event.preventDefault(); one(data.open).showModal(); }
    if ("close" in data) target.closest("dialog").close();
    if (data.themeSet) { event.preventDefault(); setTheme(data.themeSet); }
    if ("dismiss" in data) {
      if (data.undo) window.htmx.ajax("POST", data.undo, { swap: "none" });
      target.closest(".toast").remove();
    }
    if ("clear" in data) clearSelection();
    if ("copy" in data || "copyText" in data) copy(target);
    if ("print" in data) window.print();
    if (target.matches("input[type=checkbox]")) selectRange(target, event.shiftKey);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) checks().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.closest("[data-rows]")) countSelected();
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-keys]")) localStorage.setItem("keys", event.target.checked ? "on" : "off");
  });
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && button.dataset.busy !== undefined) setTimeout(() => { button.setAttribute("aria-busy", "true"); }, 120);
  });

  /* A page's dialog of keys, with the box that switches them off. */
  const keys = one("#keys:has([data-keys])");
  if (keys) one("[data-keys]", keys).checked = localStorage.getItem("keys") !== "off";
  const typing = (target) => target.closest && target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (palette && palette.open) palette.close(); else openPalette();
      return;
    }
    if (event.key === "Escape") {
      tip.hidden = true;
      const panel = event.target.closest && event.target.closest("details[data-pop][open]");
      closePanels();
      if (panel) one("summary", panel).focus();
      const form = event.target.closest && event.target.closest("[data-inline]");
      if (form) { event.preventDefault(); cancelEdit(form); return; }
    }
    if (event.key === "Enter" && event.target.matches && event.target.matches("[data-inline] select")) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (typing(event.target) || event.metaKey || event.ctrlKey || event.altKey || localStorage.getItem("keys") === "off") return;
    if (event.key === "/" && palette) { event.preventDefault(); openPalette(); }
    if (event.key === "?" && keys && !keys.open) { event.preventDefault(); keys.showModal(); }
    if (!one("[data-rows]")) {
      if ("jkl".includes(event.key)) { const go = one(`a[data-key=${event.key}]`); if (go) go.click(); }
      return;
    }
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
    if (event.key === "e") {
      const here = event.target.closest("td, th"), line = rows()[cursor()] || event.target.closest("[data-rows] tbody tr");
      const link = (here && one("[data-edit]", here)) || (line && one("[data-edit]", line));
      if (link) { event.preventDefault(); edit(link); }
    }
    if (event.key === "x" && cursor() >= 0) {
      const box = one("input[type=checkbox]", rows()[cursor()]);
      if (box) { box.checked = !box.checked; selectRange(box, false); }
    }
    if (event.key === "Enter" && cursor() >= 0 && event.target === document.body) {
      const link = one("th a, td a", rows()[cursor()]);
      if (link) link.click();
    }
  });

  /* htmx: busy state, failures in words, toasts from the server, a full reload when the session is gone. */
  document.addEventListener("htmx:beforeRequest", (event) => event.detail.target.setAttribute("aria-busy", "true"));
  document.addEventListener("htmx:afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"));
  document.addEventListener("htmx:responseError", () => toast("That did not work. Please reload the page and try again."));
  document.addEventListener("htmx:sendError", () => toast("The server did not answer. Check your connection."));
  document.addEventListener("htmx:afterSettle", (event) => {
    countSelected();
    const text = event.target.dataset && event.target.dataset.announce;
    if (text) announce(text);
    start(event.target);
  });
  document.addEventListener("focusout", (event) => {
    const form = event.target.closest && event.target.closest("[data-inline]");
    if (form && form.closest("[data-rows], dd")) setTimeout(() => leaveEdit(form), 0);
  });
  /* The server says what to focus after it replaced a row; the row in hand stays in hand. */
  document.addEventListener("focusOn", (event) => {
    const element = document.getElementById(event.detail.value);
    if (!element) return;
    rows().forEach((row) => { delete row.dataset.cursor; });
    const row = element.closest("tr");
    if (row) row.dataset.cursor = "";
    element.focus({ preventScroll: true });
  });
  document.addEventListener("toast", (event) => toast(event.detail.value || event.detail.message, event.detail.undo));

  const start = (part) => {
    const failed = one("[data-focus]", part);
    if (failed) failed.focus();
    all("[data-inline]", part.parentNode || part).forEach((form) => { if (!("was" in form.dataset)) form.dataset.was = value(form); });
    all("[data-poll]", part).forEach((region) => { if (!region.dataset.polling) { region.dataset.polling = "1"; poll(region, 1500); } });
    all(".toasts .toast", part).forEach((element) => fade(element, 6000));
  };
  /* Where a time zone is asked for the first time, the browser's own is proposed; whoever chose keeps theirs. */
  all("select[data-own-zone]").forEach((select) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (select.value === "UTC" && all("option", select).some((option) => option.value === zone)) select.value = zone;
  });
  /* A row of tabs wider than the screen begins at the open one. */
  all(".tabs [aria-current]").forEach((tab) => {
    const list = tab.closest(".tabs");
    const [from, at] = [list.getBoundingClientRect(), tab.getBoundingClientRect()];
    if (at.right > from.right) list.scrollLeft += at.right - from.right + 24;
  });
  start(document);
  countSelected();
})();
