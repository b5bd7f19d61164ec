-- a global cannot be made
count = 1
return plan { name = "global-at-load", api = 1, summary = "Makes a global." }
