// Requests to this server: the CSRF token goes out, problems come back as errors a person can read.
import { text } from "./strings.js";

/** What the server refused; `message` is for a person, `kind` for a program, `status` 0 means it was not reached. */
export class Problem extends Error {
  constructor(message, status = 0, requestId = "", kind = "") {
    super(message);
    this.status = status;
    this.requestId = requestId;
    this.kind = kind;
  }
}

/** Asks for problems in the words of this page's language. */
export const READ_BY = { "X-Read-By": "person" };

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** The way to log in and come back here. */
export function loginPath() {
  return `/login?next=${encodeURIComponent(location.pathname)}`;
}

export function goToLogin() {
  location.assign(loginPath());
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    const kind = problem.type?.split(":").pop();
    return new Problem(problem.detail || problem.title || text("unexpected"), response.status, problem.request_id, kind);
  } catch {
    return new Problem(text("unexpected"), response.status);
  }
}

async function send(method, path, headers, body) {
  let response;
  try {
    response = await fetch(path, { method, headers, body, credentials: "same-origin" });
  } catch {
    throw new Problem(text("network"));
  }
  if (response.status === 401) goToLogin();
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Send JSON (or a FormData as it is) and return the JSON answer, null when it has none; throws `Problem`. */
export async function api(method, path, body) {
  const headers = { Accept: "application/json", "X-CSRF-Token": csrfToken(), ...READ_BY };
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const response = await send(method, path, headers, isForm || body === undefined ? body : JSON.stringify(body));
  const isJson = response.headers.get("Content-Type")?.includes("json");
  return isJson ? response.json() : null;
}

/** Fetch a piece of HTML that this server rendered and return its one element, or null for an empty one; throws `Problem`. */
export async function fragment(path) {
  const response = await send("GET", path, { Accept: "text/html" });
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  // A template is parsed as if scripts were off, so what is meant for that would be shown as well.
  for (const spare of template.content.querySelectorAll("noscript")) spare.remove();
  return template.content.firstElementChild;
}
