// Pages that show finished pictures: the gallery and shared conversations.
import { startLightbox } from "./lightbox.js";

startLightbox(document.getElementById("main"));
