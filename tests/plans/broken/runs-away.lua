-- a loop without end is stopped while the plan is loaded
local number = 0
while number >= 0 do
  number = number + 1
end
return plan {}
