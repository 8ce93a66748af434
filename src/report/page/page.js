"use strict";
// What moves: the cross-hair and its values, the bars' texts, a stall's dialog, the colour scheme.
// Everything shown here is in the page as text as well.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

  // The units' words, as the tables have them.
  const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
  const time = (us) => {
    if (us === 0) return "0 ms";
    if (us < 1e4) return (us / 1e3).toFixed(1) + " ms";
    if (us < 1e6) return Math.floor(us / 1e3) + " ms";
    if (us < 1e8) return (us / 1e6).toFixed(2) + " s";
    const seconds = Math.floor(us / 1e6);
    return Math.floor(seconds / 60) + " min " + String(seconds % 60).padStart(2, "0") + " s";
  };
  const bytes = (n) => {
    if (n < 1000) return Math.round(n) + " B";
    const units = ["kB", "MB", "GB", "TB"];
    let value = n / 1000;
    let unit = 0;
    while (value >= 999.95 && unit + 1 < units.length) { value /= 1000; unit += 1; }
    return value.toFixed(1) + " " + units[unit];
  };
  const format = {
    rate: (n, width) => grouped(Math.round(n / width)) + "/s",
    bytes: (n, width) => bytes(n / width) + "/s",
    count: grouped,
    time,
  };

  function scheme() {
    const button = document.getElementById("scheme");
    const dark = () => root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    const name = () => { button.textContent = dark() ? "light" : "dark"; };
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      name();
    });
    button.setAttribute("aria-label", "change the colour scheme");
    button.hidden = false;
    name();
  }

  // One trial's axis. Its data is read when the user first points at it.
  function axis(element) {
    const stage = element.querySelector(".stage");
    const ruler = element.querySelector(".ruler");
    const cross = element.querySelector(".cross");
    const now = element.querySelector(".now");
    const outputs = all("output", element).map((output) => ({
      output,
      key: output.dataset.key,
      unit: output.closest(".panel").dataset.unit,
    }));
    let data = null;
    let step = -1;
    let statements = null;
    const read = () => {
      if (data) return data;
      data = JSON.parse(element.querySelector("script").textContent);
      statements = all(".bar.statement:not(.quiet)", element).map((bar) => ({
        from: parseFloat(bar.style.left),
        to: parseFloat(bar.style.left) + parseFloat(bar.style.width),
        text: bar.getAttribute("aria-label").split(" · ")[0],
      }));
      return data;
    };
    // The last step may begin where the trial ends, and then nothing is in it.
    const steps = () => Math.min(read().offered.length, Math.ceil(data.end_us / data.width_us));
    const seconds = (us) => {
      if (data.end_us < 120e6) return (us / 1e6).toFixed(us % 1e6 ? 1 : 0) + " s";
      const two = (n) => String(n).padStart(2, "0");
      const whole = Math.floor(us / 1e6);
      const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
      return (hours ? hours + ":" + two(minutes) : minutes) + ":" + two(whole % 60);
    };

    function show(index) {
      const { width_us: width, end_us: end, phases } = read();
      step = Math.min(Math.max(index, 0), steps() - 1);
      const from = step * width;
      const phase = phases.filter(([, begin]) => begin <= from + width / 2).pop();
      const place = Math.min(100, (100 * (from + width / 2)) / end);
      const half = (50 * width) / end;
      const ran = statements.find((one) => one.from <= place + half && one.to >= place - half);
      cross.style.left = place + "%";
      cross.hidden = false;
      now.textContent = seconds(from) + " to " + seconds(Math.min(from + width, end))
        + (phase ? " · " + phase[0] : "") + (ran ? " · " + ran.text : "");
      for (const { output, key, unit } of outputs) {
        const value = data[key][step];
        output.textContent = value === null ? "-" : format[unit](value, width / 1e6);
      }
      ruler.setAttribute("aria-valuenow", (from / 1e6).toFixed(1));
      ruler.setAttribute("aria-valuetext", now.textContent + ": "
        + outputs.map(({ output, key }) => key.replace("_", " ") + " " + output.textContent)
          .join(", "));
    }

    function clear() {
      step = -1;
      cross.hidden = true;
      now.textContent = now.dataset.whole;
      for (const { output } of outputs) output.textContent = output.dataset.most;
      ruler.setAttribute("aria-valuetext", "the whole trial");
    }

    function at(event) {
      const place = ruler.getBoundingClientRect();
      const share = (event.clientX - place.left) / place.width;
      if (share < 0 || share > 1) return;
      const { width_us: width, end_us: end } = read();
      show(Math.floor((share * end) / width));
      say(event);
    }

    // What a bar is, in place of the moment: nothing moves under the user's pointer.
    function say(event) {
      const bar = event.target.closest(".bar");
      if (bar) now.textContent = bar.getAttribute("aria-label");
    }

    stage.addEventListener("pointermove", at);
    stage.addEventListener("pointerdown", at);
    stage.addEventListener("pointerleave", (event) => {
      // A finger that is lifted leaves too; what it pointed at stays.
      if (event.pointerType === "mouse") clear();
    });
    ruler.addEventListener("keydown", (event) => {
      const count = steps();
      const far = Math.max(1, Math.round(count / 20));
      const move = {
        ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: far, PageDown: -far,
      }[event.key];
      if (event.key === "Home") show(0);
      else if (event.key === "End") show(count - 1);
      else if (event.key === "Escape") clear();
      else if (move) show(step < 0 ? 0 : step + move);
      else return;
      event.preventDefault();
    });
    element.addEventListener("focusin", say);
    bars(element);
  }

  // Within a lane, the arrow keys go from bar to bar.
  function bars(element) {
    element.addEventListener("keydown", (event) => {
      const bar = event.target.closest(".bar");
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!bar || !step) return;
      const lane = all(".bar", bar.parentElement);
      const next = lane[lane.indexOf(bar) + step];
      if (!next) return;
      if (!bar.classList.contains("stall")) {
        bar.tabIndex = -1;
        next.tabIndex = 0;
      }
      next.focus();
      event.preventDefault();
    });
  }

  function stalls() {
    const dialog = document.getElementById("stall");
    const open = (id) => {
      const details = document.getElementById(id);
      document.getElementById("stall-title").textContent =
        details.querySelector("summary").textContent;
      document.getElementById("stall-body")
        .replaceChildren(details.querySelector(".stall-body").cloneNode(true));
      dialog.showModal();
      dialog.scrollTop = 0;
    };
    document.addEventListener("click", (event) => {
      const stall = event.target.closest("[data-stall]");
      if (stall) open(stall.dataset.stall);
      // Beside the dialog is its backdrop, which counts as itself.
      else if (event.target === dialog) dialog.close();
    });
  }

  // A link to a trial opens it; paper shows everything.
  function details() {
    const reveal = () => {
      const target = location.hash.length > 1
        ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
      const closed = target && target.querySelector("details.whole");
      if (closed && !closed.open) {
        closed.open = true;
        target.scrollIntoView();
      }
    };
    addEventListener("hashchange", reveal);
    reveal();
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = all("details:not([open])");
      for (const one of opened) one.open = true;
    });
    addEventListener("afterprint", () => {
      for (const one of opened) one.open = false;
    });
  }

  scheme();
  all(".axis").forEach(axis);
  stalls();
  details();
})();
