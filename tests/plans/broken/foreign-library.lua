-- there is no io, and its nearest word is no help
local file = io.open("/etc/passwd")
return plan { name = "foreign-library", api = 1, summary = file:read() }
