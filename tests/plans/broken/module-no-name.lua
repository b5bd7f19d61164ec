-- require without a name
local retry = require(nil)
return plan { name = "module-no-name", api = 1, summary = retry }
