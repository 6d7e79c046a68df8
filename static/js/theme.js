// The theme: as the system, light or dark; remembered in this browser only.
import { text } from "./strings.js";

const ORDER = ["auto", "light", "dark"];
const ICONS = { auto: "auto", light: "sun", dark: "moon" };

export function currentTheme() {
  return document.documentElement.dataset.theme ?? "auto";
}

export function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Without storage the choice lasts until the next page.
  }
  document.querySelectorAll("[data-theme-toggle]").forEach(show);
}

function show(button) {
  const theme = currentTheme();
  const sprite = document.querySelector('meta[name="icons"]').content;
  button.hidden = false;
  button.querySelector("use").setAttribute("href", `${sprite}#${ICONS[theme]}`);
  button.querySelector("span").textContent = text(`theme_${theme}`);
}

export function startTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    show(button);
    button.addEventListener("click", () => setTheme(ORDER[(ORDER.indexOf(currentTheme()) + 1) % ORDER.length]));
  }
}
