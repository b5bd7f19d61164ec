-- SPDX-License-Identifier: Apache-2.0
--- Waits for several events, in whatever order they come, at most so long for all of them.
---
---     local wait_all = require "wait_all"
---     wait_all { within = 5000,
---       { "BLOCK_JOB_READY", device = "drive0" },
---       { "BLOCK_JOB_READY", device = "drive1" } }
---
--- Events that came while the action was running count. Gives back the events in the order of the
--- patterns.
return function(wanted)
  local deadline = wanted.within and now() + wanted.within
  local events = {}
  for index, pattern in ipairs(wanted) do
    local awaited = {}
    for key, value in pairs(pattern) do awaited[key] = value end
    if deadline then awaited[2] = math.max(deadline - now(), 1) end
    events[index] = wait(awaited)
  end
  return events
end
