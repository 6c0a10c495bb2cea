// Tables sort by their heads and can be searched; without this script they are whole, in the order in which they were written.
"use strict";
const ROWS_SHOWN = 15;

function valueOf(row, place, isFigure) {
  const text = row.cells[place].textContent.trim();
  return isFigure ? parseFloat(text.replace(/[^\d.+-]/g, "")) : text.toLowerCase();
}

function compare(one, other) {
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other) || 0;
  return typeof one === "number" ? one - other : one.localeCompare(other, undefined, { numeric: true });
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const isFigure = head.classList.contains("figure");
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const isDown = before ? before === "ascending" : isFigure;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, place, isFigure), row]);
      rows.sort(([one], [other]) => (Number.isNaN(one) || Number.isNaN(other) || !isDown ? compare(one, other) : compare(other, one)));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}

function searchable(table, box) {
  const rows = [...table.tBodies[0].rows];
  const tools = document.createElement("div");
  tools.className = "tools";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "filter rows";
  input.setAttribute("aria-label", "Filter: " + table.caption.textContent);
  const told = document.createElement("span");
  told.className = "quiet";
  told.setAttribute("role", "status");
  tools.append(input, told);
  box.before(tools);
  const more = document.createElement("button");
  more.type = "button";
  more.className = "more";
  more.hidden = rows.length <= ROWS_SHOWN;
  let isShort = rows.length > ROWS_SHOWN;
  function show() {
    const wanted = input.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      count += !row.hidden;
    }
    told.textContent = wanted ? `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows` : "";
    table.classList.toggle("short", isShort && wanted === "");
    more.textContent = isShort ? `show all ${rows.length.toLocaleString("en")} rows` : `show the first ${ROWS_SHOWN} rows`;
    more.hidden = rows.length <= ROWS_SHOWN || wanted !== "";
  }
  input.addEventListener("input", show);
  more.addEventListener("click", () => { isShort = !isShort; show(); });
  box.after(more);
  show();
}

for (const box of document.querySelectorAll(".wide")) {
  const table = box.querySelector("table.listing");
  if (!table || table.tBodies[0].rows.length < 2) continue;
  sortable(table);
  if (table.tBodies[0].rows.length > 8) searchable(table, box);
}
