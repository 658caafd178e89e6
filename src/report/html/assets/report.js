// Sorting and filtering of tables, and stepping through a conversation's findings. The report reads well without it.
(function () {
  "use strict";

  function value(row, column) {
    var cell = row.cells[column];
    var sort = cell.getAttribute("data-v");
    if (sort !== null) return sort === "" ? null : Number(sort);
    var text = cell.textContent.trim();
    return text === "" ? null : text;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "zh");
  }

  function sortable(table) {
    var body = table.tBodies[0];
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var title = head.textContent;
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = title;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var now = head.getAttribute("aria-sort");
        // Numbers are first wanted from the top down.
        var first = head.classList.contains("num") ? "descending" : "ascending";
        var other = first === "ascending" ? "descending" : "ascending";
        var next = now === first ? other : first;
        Array.prototype.forEach.call(head.parentNode.cells, function (c) { c.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", next);
        var sign = next === "ascending" ? 1 : -1;
        var rows = Array.prototype.map.call(body.rows, function (row, at) {
          return { row: row, value: value(row, column), at: at };
        });
        rows.sort(function (a, b) {
          if (a.value === null || b.value === null) {
            return (a.value === null ? 1 : 0) - (b.value === null ? 1 : 0) || a.at - b.at;
          }
          return sign * compare(a.value, b.value) || a.at - b.at;
        });
        rows.forEach(function (r) { body.appendChild(r.row); });
      });
    });
  }

  function filterable(tools) {
    var table = document.getElementById(tools.getAttribute("data-for"));
    var input = tools.querySelector("input");
    var select = tools.querySelector("select");
    var count = tools.querySelector("output");
    if (!table) return;
    function apply() {
      var words = (input ? input.value : "").toLowerCase().split(/\s+/).filter(Boolean);
      var group = select ? select.value : "";
      var shown = 0;
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        var text = row.textContent.toLowerCase();
        var fits = words.every(function (w) { return text.indexOf(w) >= 0; }) &&
          (group === "" || row.getAttribute("data-g") === group);
        row.hidden = !fits;
        if (fits) shown += 1;
      });
      count.textContent = shown + " / " + table.tBodies[0].rows.length;
    }
    if (input) input.addEventListener("input", apply);
    if (select) select.addEventListener("change", apply);
    tools.hidden = false;
    apply();
  }

  function steps(bar) {
    var notes = Array.prototype.slice.call(document.querySelectorAll(".remark"));
    if (notes.length === 0) return;
    var at = -1;
    var told = bar.querySelector("output");
    function go(next) {
      if (at >= 0) notes[at].classList.remove("on");
      at = (next + notes.length) % notes.length;
      var note = notes[at];
      note.classList.add("on");
      open(note);
      note.focus({ preventScroll: true });
      note.scrollIntoView({ block: "center" });
      told.textContent = (at + 1) + " / " + notes.length;
    }
    bar.hidden = false;
    told.textContent = "– / " + notes.length;
    var buttons = bar.querySelectorAll("button");
    buttons[0].addEventListener("click", function () { go(at < 0 ? -1 : at - 1); });
    buttons[1].addEventListener("click", function () { go(at + 1); });
    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      if (event.key === "j") go(at + 1);
      if (event.key === "k") go(at < 0 ? -1 : at - 1);
    });
  }

  function open(place) {
    var turn = place.closest(".turn");
    if (turn) Array.prototype.forEach.call(turn.querySelectorAll("details"), function (d) { d.open = true; });
  }

  // A link into a folded message opens it.
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    open(target);
  }

  Array.prototype.forEach.call(document.querySelectorAll("table.sort"), sortable);
  Array.prototype.forEach.call(document.querySelectorAll(".tools"), filterable);
  Array.prototype.forEach.call(document.querySelectorAll(".step"), steps);
  window.addEventListener("hashchange", unfold);
  unfold();
})();
