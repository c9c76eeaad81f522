// Starts the scripts of the page, once all of them are there.
"use strict";

window.chartcode.start(false);
document.documentElement.dataset.started = "true";
