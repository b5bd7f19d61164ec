-- a module that is not there is told with the nearest
local retry = require "rety"
return plan { name = "module-unknown", api = 1, summary = retry }
