-- a mistake in a module is told at its own line
local words = require "no_lua"
return plan { name = "module-broken", api = 1, summary = words }
