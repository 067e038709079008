// The editor's desk: each module minds one thing.

import "./autosave.js";
import "./live.js";
import "./keys.js";
import "./preview.js";
