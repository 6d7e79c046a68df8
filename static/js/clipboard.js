// Copying text, with a word about whether it worked.
import { text } from "./strings.js";
import { toast } from "./toast.js";

export async function copy(words, button) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // Plain HTTP on another machine has no clipboard.
    toast(text("copy_failed"), { bad: true });
    return;
  }
  toast(text("copied"));
  button?.classList.add("icon-button--done");
  setTimeout(() => button?.classList.remove("icon-button--done"), 1500);
}

/** Wire a read-only field and its copy button. */
export function copyField(field, button) {
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", () => {
    field.select();
    copy(field.value, button);
  });
}
