-- no command can be given in loading
local status = qmp("query-status")
return plan { name = "acts-at-load-qmp", api = 1, summary = status.status }
