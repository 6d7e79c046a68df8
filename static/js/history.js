// The history page: the button beside a link that was just made.
import { copyField } from "./clipboard.js";

copyField(document.getElementById("link-value"), document.getElementById("link-copy"));
