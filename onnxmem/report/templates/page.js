"use strict";
(() => {
  const drawings = JSON.parse(document.getElementById("drawings").textContent);
  const views = new Map();
  const options = {
    mode: "vega-lite",
    renderer: "svg",
    actions: false,
    logLevel: 1,
    ast: true,
    defaultStyle: false,
    config: drawings.config,
    tooltip: { disableDefaultStyle: true, theme: "custom" },
    loader: { load: () => Promise.reject(new Error("this page loads nothing")) },
  };

  async function draw(id, spec, datasets) {
    const place = document.getElementById(id);
    if (!place) return;
    try {
      const { view } = await vegaEmbed(place, { ...spec, datasets }, options);
      views.set(id, view);
    } catch (error) {
      place.classList.add("failed");
      place.textContent = `This chart could not be drawn (${error.message}). The table holds its numbers.`;
      console.error(error);
    }
  }

  function datasetsOf(spec, datasets) {
    const text = JSON.stringify(spec);
    const used = Object.entries(datasets).filter(([name]) => text.includes(`"name":"${name}"`));
    return { ...spec.datasets, ...Object.fromEntries(used) };
  }

  async function drawAll(prefix, group) {
    for (const [name, spec] of Object.entries(group.specs)) {
      await draw(`${prefix}-${name}`, spec, datasetsOf(spec, group.datasets));
    }
  }

  function signal(id, name, value) {
    const view = views.get(id);
    if (view) view.signal(name, value).runAsync();
  }

  function choose(model, layer) {
    const select = document.getElementById(`${model}-layer`);
    select.value = String(layer);
    for (const id of views.keys()) {
      if (id.startsWith(`${model}-`) && !id.endsWith("-times")) signal(id, "chosen", layer);
    }
    for (const button of document.querySelectorAll(`button[data-model="${model}"]`)) {
      const chosen = Number(button.dataset.choose) === layer;
      button.closest("tr").classList.toggle("chosen", chosen);
      button.setAttribute("aria-pressed", String(chosen));
    }
    describe(model, layer);
  }

  function describe(model, layer) {
    const curves = drawings.models[Number(model.slice(1))].datasets.curves;
    const own = curves.filter((curve) => curve.layer === layer);
    const words = own.map((curve) => {
      const value = curve.state === "scored" ? curve.auc.toFixed(3) : curve.state;
      // the units left over by ablation do not depend on the kind of batches
      return curve.xName === "fraction"
        ? `${curve.compressor} ${value}`
        : `${curve.compressor}, ${curve.batch} ${value}`;
    });
    document.getElementById(`${model}-chosen`).textContent = own.length
      ? `AuC: ${[...new Set(words)].join("; ")}.`
      : "This layer has no curves; the table says why.";
  }

  function layerAt(view, event, layers) {
    const box = event.currentTarget.querySelector("svg").getBoundingClientRect();
    const inside = event.clientY - box.top - view.origin()[1];
    const layer = Math.floor((inside / view.height()) * layers);
    return layer >= 0 && layer < layers ? layer : null;
  }

  function listen(model) {
    const select = document.getElementById(`${model}-layer`);
    if (!select) return;
    for (const [id, view] of views) {
      if (!id.startsWith(`${model}-overview-`)) continue;
      document.getElementById(id).addEventListener("click", (event) => {
        const layer = layerAt(view, event, select.length);
        if (layer === null) return;
        choose(model, layer);
        document.getElementById(`${model}-curves`).parentElement.scrollIntoView({ block: "nearest" });
      });
    }
    select.addEventListener("change", () => choose(model, Number(select.value)));
    choose(model, Number(select.value));
  }

  function connect(part) {
    for (const select of part.querySelectorAll("select[data-key-of]")) {
      const send = () => signal(select.dataset.keyOf, "key", select.value);
      select.addEventListener("change", send);
      send();
    }
    for (const select of part.querySelectorAll("select[data-layer-of]")) {
      const send = () => signal(select.dataset.layerOf, "chosen", Number(select.value));
      select.addEventListener("change", send);
      send();
    }
    for (const select of part.querySelectorAll("select[data-groups-of]")) {
      const send = () => {
        for (const name of ["rank", "fraction"]) {
          signal(`${select.dataset.groupsOf}-${name}`, "key", select.value);
        }
      };
      select.addEventListener("change", send);
      send();
    }
    for (const button of part.querySelectorAll("button[data-choose]")) {
      button.addEventListener("click", () => {
        choose(button.dataset.model, Number(button.dataset.choose));
        document.getElementById(`${button.dataset.model}-curves`).scrollIntoView();
        document.getElementById(`${button.dataset.model}-layer`).focus({ preventScroll: true });
      });
    }
  }

  async function drawModel(index) {
    await drawAll(`m${index}`, drawings.models[index]);
    listen(`m${index}`);
  }

  // A chart takes its width from its place, which has none while it is folded away.
  function drawWhenOpened(fold) {
    fold.addEventListener("toggle", async () => {
      if (!fold.open || fold.dataset.drawn) return;
      fold.dataset.drawn = "yes";
      await drawModel(Number(fold.dataset.group));
      connect(fold);
    });
  }

  function openTarget() {
    const target = document.getElementById(location.hash.slice(1));
    const fold = target && target.closest("details");
    if (!fold || fold.open) return;
    fold.open = true;
    target.scrollIntoView();
  }

  function sortBy(table, column, falling) {
    const body = table.tBodies[0];
    const valueOf = (row) => {
      const cell = row.cells[column];
      const text = cell.dataset.value ?? cell.textContent.trim();
      return text === "" || Number.isNaN(Number(text)) ? text.toLowerCase() : Number(text);
    };
    const order = (a, b) => {
      if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
      const sign = falling ? -1 : 1;
      return typeof a === "number" ? sign * (a - b) : sign * a.localeCompare(b);
    };
    body.append(...[...body.rows].sort((a, b) => order(valueOf(a), valueOf(b))));
  }

  function sortable(table) {
    for (const head of table.tHead.rows[0].cells) {
      if ("unsorted" in head.dataset) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const falling = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        sortBy(table, head.cellIndex, falling);
      });
    }
  }

  async function start() {
    document.querySelectorAll("table.sortable").forEach(sortable);
    if (drawings.together) await drawAll("t", drawings.together);
    for (const index of drawings.models.keys()) {
      const fold = document.querySelector(`details[data-group="${index}"]`);
      if (fold) drawWhenOpened(fold);
      else await drawModel(index);
    }
    connect(document);
    window.addEventListener("hashchange", openTarget);
    openTarget();
    document.documentElement.dataset.drawn = "yes";
  }
  start();
})();
