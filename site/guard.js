// Says which of the page's own files could not be loaded, since the page's own code cannot.
addEventListener(
  "error",
  ({ target }) => {
    const file = target?.getAttribute?.("src") ?? target?.getAttribute?.("href");
    // What lies in runtime/ is loaded a second time, and reported, by boot.js.
    if (!file || file.startsWith("runtime/") || target.rel === "icon") return;
    const show = () => {
      document.documentElement.dataset.fleetlabState = "error";
      if (document.getElementById("fleetlab-guard")) return;
      const box = document.createElement("div");
      box.id = "fleetlab-guard";
      box.setAttribute("role", "alert");
      const retry = document.createElement("button");
      retry.textContent = "Retry";
      retry.addEventListener("click", () => location.reload());
      box.append(`The file ${file} could not be loaded, or its bytes are not the build's. `, retry);
      document.body.prepend(box);
    };
    if (document.body) show();
    else addEventListener("DOMContentLoaded", show);
  },
  true,
);
