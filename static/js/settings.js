// The settings page: theme and API tokens.
import { api } from "./api.js";
import { copyField } from "./clipboard.js";
import { currentTheme, setTheme } from "./theme.js";
import { confirmed } from "./dialogs.js";
import { text } from "./strings.js";
import { report, toast } from "./toast.js";

const theme = document.getElementById("theme-choice");
theme.value = currentTheme();
theme.addEventListener("change", () => setTheme(theme.value));

const privacy = document.getElementById("private-account");
privacy.addEventListener("change", async () => {
  try {
    await api("PATCH", "/api/auth/me", { private: privacy.checked });
    toast(text(privacy.checked ? "made_private" : "made_public"));
  } catch (error) {
    privacy.checked = !privacy.checked;
    report(error);
  }
});

const endLinks = document.getElementById("links-end");
endLinks.addEventListener("click", async () => {
  const { confirmTitle: title, confirmText: detail, confirmAction: action } = endLinks.dataset;
  if (!(await confirmed({ title, detail, action }))) return;
  try {
    await api("DELETE", "/api/links");
    location.reload();
  } catch (error) {
    report(error);
  }
});

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
