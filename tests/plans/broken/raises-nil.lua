-- a mistake while the file is run
local limits = {}
return plan { name = "raises-nil", api = 1, summary = limits.text.short }
