-- an error of the file itself
local limits = { first = 1 }
error("no limits for " .. limits.first)
