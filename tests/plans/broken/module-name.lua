-- a module is no path
local retry = require "../modules/retry"
return plan { name = "module-name", api = 1, summary = retry }
