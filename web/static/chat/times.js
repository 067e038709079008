// Moments as the citizen's own clock shows them.

export function day(moment) {
  return `${moment.getMonth() + 1}月${moment.getDate()}日`;
}

export function clock(moment) {
  const time = moment.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  if (moment.toDateString() === new Date().toDateString()) return time;
  return `${day(moment)} ${time}`;
}
