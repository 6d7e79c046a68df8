// What every page does.
import { startDialogs, startMenus } from "./dialogs.js";
import { dress } from "./pictures.js";
import { startTheme } from "./theme.js";

startTheme();
startMenus();
startDialogs();
dress(document);
