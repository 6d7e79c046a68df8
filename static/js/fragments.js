// htmx for lists that grow or lose a row; it asks in our own dialog and tells problems in our own words.
import "../vendor/htmx.org-4.0.1/htmx.esm.min.js";
import { READ_BY, csrfToken, goToLogin } from "./api.js";
import { confirmed } from "./dialogs.js";
import { dress } from "./pictures.js";
import { text } from "./strings.js";
import { report, toast } from "./toast.js";

document.addEventListener("htmx:config:request", ({ detail }) => {
  const { request } = detail.ctx;
  Object.assign(request.headers, { "X-CSRF-Token": csrfToken() }, READ_BY);
  // The hidden field is for pages without scripts; a DELETE would carry it into the address and so into logs.
  request.body?.delete("csrf_token");
});

document.addEventListener("htmx:confirm", (event) => {
  event.preventDefault();
  const { ctx, issueRequest, dropRequest } = event.detail;
  const { confirmTitle, confirmAction } = ctx.sourceElement.dataset;
  confirmed({ title: confirmTitle, detail: ctx.confirm, action: confirmAction }).then((yes) =>
    yes ? issueRequest() : dropRequest(),
  );
});

document.addEventListener("htmx:after:swap", () => dress(document.getElementById("main")));

document.addEventListener("htmx:response:error", async ({ detail }) => {
  const { status } = detail.ctx.response;
  if (status === 401) goToLogin();
  let problem = {};
  try {
    problem = JSON.parse(detail.ctx.text);
  } catch {
    // A proxy's own error page has nothing to say to a person.
  }
  report({ message: problem.detail || text("unexpected"), status, requestId: problem.request_id });
});

document.addEventListener("htmx:error", () => toast(text("network"), { bad: true }));
