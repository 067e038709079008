// The days as charts. Colours are told apart also by who does not see red and green alike.

const COLOURS = ["#2f7ed8", "#07783f", "#e08a1e", "#b3261e", "#7b5cc4", "#1aa3a3", "#8a8f8c"];
const charts = {};

function chart(id) {
  if (!globalThis.echarts) return null;
  charts[id] ??= globalThis.echarts.init(document.getElementById(id), null, { renderer: "canvas" });
  return charts[id];
}

const day = (text) => `${Number(text.slice(5, 7))}-${Number(text.slice(8, 10))}`;
const rate = (share) => (share.share === null ? null : Math.round(1000 * share.share) / 10);

function style(big) {
  const ink = big ? "#dbe7e0" : "#4a5750";
  const size = big ? 17 : 13;
  return {
    text: { color: ink, fontSize: size },
    line: { lineStyle: { color: big ? "#33443b" : "#dfe5e1" } },
    axis: { lineStyle: { color: big ? "#54685e" : "#b9c4be" } },
    top: big ? 76 : 38,
    tip: { renderMode: "richText", trigger: "axis", confine: true },
  };
}

function base(told, look) {
  return {
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    animation: false,
    grid: { left: 8, right: 12, top: look.top, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 14, textStyle: look.text },
    tooltip: look.tip,
    xAxis: { type: "category", data: told.days.map((one) => day(one.day)), axisLabel: look.text, axisLine: look.axis, axisTick: { show: false } },
  };
}

/** Draw both charts; `big` is the dark screen. */
export function draw(told, words, big) {
  const look = style(big);
  const kinds = words.kinds.filter((kind) => told.days.some((one) => one.kinds[kind]));
  chart("chart-kinds")?.setOption({
    ...base(told, look),
    yAxis: { type: "value", minInterval: 1, axisLabel: look.text, splitLine: look.line },
    series: kinds.map((kind, place) => ({
      name: kind, type: "bar", stack: "all", barMaxWidth: 34, color: COLOURS[place],
      data: told.days.map((one) => one.kinds[kind] ?? 0),
    })),
  }, true);
  const lines = [["calls", "15 秒接通率"], ["chats", "3 分钟响应率"], ["resolved", "助手办结率"], ["surveyed", "当场满意率"], ["satisfied", "回访满意率"]];
  chart("chart-shares")?.setOption({
    ...base(told, look),
    yAxis: { type: "value", min: 0, max: 100, axisLabel: { ...look.text, formatter: "{value}%" }, splitLine: look.line },
    tooltip: { ...look.tip, formatter: (points) => shares(points, told, lines) },
    series: lines.map(([name, label], place) => ({
      name: label, type: "line", color: COLOURS[place], symbolSize: big ? 9 : 6, connectNulls: true,
      lineStyle: { width: big ? 4 : 2.5 }, data: told.days.map((one) => rate(one[name])),
    })),
  }, true);
}

// Every share with what it is a share of.
function shares(points, told, lines) {
  const one = told.days[points[0].dataIndex];
  const rows = lines.map(([name, label]) => {
    const { part, of } = one[name];
    return `${label}  ${of ? `${(100 * part / of).toFixed(1)}%（${part} / ${of}）` : "没有"}`;
  });
  return [one.day, ...rows].join("\n");
}

addEventListener("resize", () => {
  for (const each of Object.values(charts)) each.resize();
});
