// The translated texts that the page brought along.
const strings = JSON.parse(document.getElementById("strings").textContent);

/** Return the text called `key` with each `{name}` replaced from `values`. */
export function text(key, values = {}) {
  return strings[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
