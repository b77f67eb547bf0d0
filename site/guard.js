// Says which of the page's own files could not be loaded, since the page's own code cannot.
{
  let named = null; // the file that is named, and by which element it was wanted
  const sentence = document.createElement("span");

  const show = () => {
    document.documentElement.dataset.fleetlabState = "error";
    sentence.textContent = `The file ${named.file} could not be loaded, or its bytes are not the build's. `;
    if (sentence.isConnected) return;
    const box = document.createElement("div");
    box.setAttribute("role", "alert");
    const retry = document.createElement("button");
    retry.textContent = "Retry";
    retry.addEventListener("click", () => location.reload());
    box.append(sentence, retry);
    document.body.prepend(box);
  };

  const failed = ({ target }) => {
    const file = target?.getAttribute?.("src") ?? target?.getAttribute?.("href");
    // What lies in runtime/ is loaded a second time, and reported, by boot.js.
    if (!file || file.startsWith("runtime/") || target.rel === "icon") return;
    // A module that lacks one of its imports fails too: the import is the cause.
    if (named && !(target.rel === "modulepreload" && named.element.type === "module")) return;
    named = { file, element: target };
    if (document.body) show();
    else addEventListener("DOMContentLoaded", show, { once: true });
  };
  addEventListener("error", failed, true);
}
