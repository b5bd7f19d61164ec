-- modules that need each other
local ring = require "ring_a"
return plan { name = "module-cycle", api = 1, summary = ring }
