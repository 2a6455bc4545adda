/* Working tickets from the keyboard: a letter goes to the field or presses the button that says so, Ctrl Enter
   sends, Escape leaves a field. Everything here has a field or a button that does the same without script. */
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const off = () => localStorage.getItem("keys") === "off";
  const field = (target) => target.closest && target.closest("input:not([type=checkbox], [type=radio]), textarea, select, dialog");

  const reach = (target) => {
    all("details").filter((each) => each.contains(target)).forEach((each) => { each.open = true; });
    if (target.matches("[type=radio]")) {
      target.checked = true;
      one(target.dataset.then).focus();
    } else if (target.matches("input, select, textarea")) {
      target.focus();
      if (target.select) target.select();
    } else {
      target.click();
    }
  };

  document.addEventListener("keydown", (event) => {
    const form = event.target.form;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea") && form) {
      event.preventDefault();
      const next = event.shiftKey && one("button[value=next]", form);
      form.requestSubmit(next || one("button[type=submit]", form));
      return;
    }
    if (event.key === "Enter" && event.target.matches("select[data-shortcut]") && form) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && event.target.matches("textarea, input, select")) { event.target.blur(); return; }
    if (event.metaKey || event.ctrlKey || event.altKey || off() || field(event.target)) return;
    const target = event.key.length === 1 && all("[data-shortcut]").find((each) => each.dataset.shortcut === event.key);
    if (target) { event.preventDefault(); reach(target); }
  });

  /* What was written and not sent is there again when the page is: in this tab, as the note or the answer it was. */
  const box = one("#reply textarea"), place = `draft:${location.pathname.replace(/reply\/$/, "")}`;
  if (box) {
    const kept = JSON.parse(sessionStorage.getItem(place) || "null");
    if (kept && !box.value) {
      box.value = kept.body;
      box.form.elements.kind.value = kept.kind;
    }
    const keep = () => {
      if (box.value.trim()) sessionStorage.setItem(place, JSON.stringify({ body: box.value, kind: box.form.elements.kind.value }));
      else sessionStorage.removeItem(place);
    };
    box.form.addEventListener("input", keep);
    box.form.addEventListener("submit", () => sessionStorage.removeItem(place));
  }

  /* Whoever writes is told of to the others by the next beat. */
  document.addEventListener("input", (event) => {
    const typing = one("#typing");
    if (typing && event.target.closest("#reply")) typing.value = "1";
  });
})();
