-- too much memory is refused while the plan is loaded
local text = "x"
while true do text = text .. text end
