-- a module that returns nothing
local words = require "nothing"
return plan { name = "module-nothing", api = 1, summary = words }
