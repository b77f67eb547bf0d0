// Puts the lab into a page of a book: <script src="…/embed.js" data-query="track=titan&part=2">
// </script> stands where the lab is to be. data-height is its height in pixels until it tells.
{
  const script = document.currentScript;
  const place = new URL("./", script.src);
  const query = new URLSearchParams(script.dataset.query ?? "");
  query.set("embed", "1");
  const frame = document.createElement("iframe");
  frame.src = new URL(`?${query}`, place).href;
  frame.title = script.dataset.title ?? "Fleet Orchestration, a lab on cluster scheduling";
  frame.style.cssText = `display: block; width: 100%; border: 0; height: ${Number(script.dataset.height) || 720}px`;
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== place.origin) return;
    if (data?.fleetlab !== "height" || !Number.isFinite(data.height)) return;
    frame.style.height = `${Math.min(Math.max(data.height, 200), 20_000)}px`;
  });
  script.after(frame);
}
