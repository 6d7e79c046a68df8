// What every page does.
import { startMenus } from "./dialogs.js";
import { dress } from "./pictures.js";
import { startTheme } from "./theme.js";

startTheme();
startMenus();
dress(document);
