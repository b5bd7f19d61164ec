-- SPDX-License-Identifier: Apache-2.0
--- What the plan beside this file does.
local steps = { patience = "20s" }

function steps.try(retry)
  return function()
    local result = retry { times = 5, first = 100, function() return qmp("nbd-server-stop") end }
    log.info("%s at %g ms", result.stopped, now())
    retry { times = 2, first = 50, function() qmp("eject") end }
  end
end

return steps
