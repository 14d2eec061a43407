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
      return `${curve.compressor}, ${curve.batch} ${value}`;
    });
    document.getElementById(`${model}-chosen`).textContent = own.length
      ? `AuC: ${words.join("; ")}.`
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

  function connect() {
    for (const select of document.querySelectorAll("select[data-key-of]")) {
      const send = () => signal(select.dataset.keyOf, "key", select.value);
      select.addEventListener("change", send);
      send();
    }
    for (const select of document.querySelectorAll("select[data-layer-of]")) {
      const send = () => signal(select.dataset.layerOf, "chosen", Number(select.value));
      select.addEventListener("change", send);
      send();
    }
    for (const select of document.querySelectorAll("select[data-groups-of]")) {
      const send = () => {
        for (const name of ["rank", "fraction"]) {
          signal(`${select.dataset.groupsOf}-${name}`, "key", select.value);
        }
      };
      select.addEventListener("change", send);
      send();
    }
    for (const button of document.querySelectorAll("button[data-choose]")) {
      button.addEventListener("click", () => {
        choose(button.dataset.model, Number(button.dataset.choose));
        document.getElementById(`${button.dataset.model}-curves`).scrollIntoView();
        document.getElementById(`${button.dataset.model}-layer`).focus({ preventScroll: true });
      });
    }
  }

  async function start() {
    if (drawings.together) await drawAll("t", drawings.together);
    for (const [index, group] of drawings.models.entries()) {
      await drawAll(`m${index}`, group);
      listen(`m${index}`);
    }
    connect();
    document.documentElement.dataset.drawn = "yes";
  }
  start();
})();
