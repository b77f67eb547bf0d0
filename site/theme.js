// Light or dark: as the system says, unless the reader or the address has chosen.

const root = document.documentElement;
const DARK = matchMedia("(prefers-color-scheme: dark)");
const NAMES = { auto: "automatic", light: "light", dark: "dark" };

/** Keeps the page in its theme from now on; `onChange` hears each other one. */
export function openTheme(onChange) {
  const apply = () => {
    const { themeChoice: choice } = root.dataset;
    const theme = choice !== "auto" ? choice : DARK.matches ? "dark" : "light";
    document.querySelector(".theme").setAttribute("aria-label", `Theme: ${NAMES[choice]}`);
    if (theme === root.dataset.theme) return;
    root.dataset.theme = theme;
    onChange(theme);
  };
  apply();
  DARK.addEventListener("change", apply);
  return function next() {
    const names = Object.keys(NAMES);
    root.dataset.themeChoice = names[(names.indexOf(root.dataset.themeChoice) + 1) % names.length];
    try {
      localStorage.setItem("fleetlab/theme", root.dataset.themeChoice);
    } catch {
      // It holds for this visit.
    }
    apply();
  };
}
