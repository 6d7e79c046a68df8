// The settings page: theme and API tokens.
import { api } from "./api.js";
import { copyField } from "./clipboard.js";
import { currentTheme, setTheme } from "./theme.js";
import { report } from "./toast.js";

const theme = document.getElementById("theme-choice");
theme.value = currentTheme();
theme.addEventListener("change", () => setTheme(theme.value));

const form = document.getElementById("token-form");
const value = document.getElementById("token-value");
copyField(value, document.getElementById("token-copy"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const { token } = await api("POST", "/api/tokens", { name: form.elements.name.value.trim() });
    value.value = token;
    document.getElementById("token-result").hidden = false;
    form.reset();
    // The list listens (hx-trigger) and takes its rows anew from the server.
    document.getElementById("token-list").dispatchEvent(new Event("token-created"));
    value.focus();
  } catch (error) {
    report(error);
  }
});
